/* Charts: figures come as JSON on the picture's frame, colours from the tokens as they are now; drawn again when those change. */
(() => {
  const SMALL = 11;
  const font = () => getComputedStyle(document.body).fontFamily;
  const tokens = () => ({
    text: paint("--text"), second: paint("--text-2"), faint: paint("--text-3"), line: paint("--border"), ground: paint("--surface"),
    sunken: paint("--sunken"), control: paint("--border-control"), accent: paint("--accent"), tint: paint("--accent-tint"),
    red: paint("--red"), redTint: paint("--red-tint"), green: paint("--green"), rot: paint("--rot"),
  });

  const write = (value) => new Intl.NumberFormat(document.documentElement.lang).format(value);

  const names = (points, ink) => ({
    type: "category", inverse: true, data: points.map((point) => point.label), axisLine: { show: false }, axisTick: { show: false },
    axisLabel: { color: ink.text, fontSize: 12, fontWeight: 500, width: ink.isNarrow ? 84 : 118, overflow: "truncate" },
  });
  const remarks = (texts, ink) => ({
    type: "category", inverse: true, position: "right", data: texts, axisLine: { show: false }, axisTick: { show: false },
    axisLabel: { color: ink.second, fontSize: SMALL, lineHeight: 14, fontWeight: 600, interval: 0 },
  });
  const tooltip = (ink, formatter) => ({
    renderMode: "richText", backgroundColor: ink.ground, borderColor: ink.line, textStyle: { color: ink.text, fontSize: 12 }, formatter,
  });

  const funnel = ({ points, words }, ink) => {
    const bar = (key, style, label) => ({
      name: words[key], type: "bar", stack: "reached", barWidth: 20, itemStyle: { borderRadius: 3, borderColor: ink.ground, borderWidth: 1, ...style }, label,
      data: points.map((point) => ({ value: point[key] || null, itemStyle: key === "passed" ? { color: paint(point.color) } : {} })),
    });
    const most = Math.max(...points.map((point) => point.passed + point.still + point.lost), 1);
    const wide = (shown) => ({ value }) => (value / most > (ink.isNarrow ? 0.38 : 0.1) ? shown(value) : "");
    return {
      grid: { left: ink.isNarrow ? 94 : 128, right: 60, top: 28, bottom: 4 },
      legend: { top: 0, left: ink.isNarrow ? 0 : 122, itemWidth: 10, itemHeight: 10, textStyle: { color: ink.faint, fontSize: SMALL }, selectedMode: false },
      xAxis: { type: "value", show: false, max: most * (ink.isNarrow ? 1.45 : 1.18) },
      yAxis: [names(points, ink), remarks(points.map((point) => point.share), ink)],
      tooltip: tooltip(ink, ({ seriesName, name, value }) => `${name}\n${seriesName}: ${write(value ?? 0)}`),
      series: [
        { ...bar("passed", { color: ink.faint }, { show: true, position: "insideLeft", color: ink.ground, fontWeight: 600, formatter: wide(write) }) },
        bar("still", { color: ink.sunken, borderColor: ink.control }, { show: true, color: ink.second, formatter: wide(write) }),
        {
          ...bar("lost", { color: ink.redTint, borderColor: ink.red, decal: { color: ink.red, symbol: "rect", dashArrayX: [1, 0], dashArrayY: [1, 4], rotation: Math.PI / 4 } },
            { show: true, position: "right", color: ink.red, fontWeight: 600, formatter: ({ value }) => (value ? `−${write(value)}` : "") }),
        },
      ],
    };
  };

  const boxes = ({ points, words }, ink) => ({
    grid: { left: ink.isNarrow ? 94 : 128, right: 76, top: 28, bottom: 4 },
    xAxis: { type: "value", position: "top", min: 0, splitNumber: ink.isNarrow ? 2 : 5, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { color: ink.faint, fontSize: SMALL, formatter: (value) => words.days.replace("{count}", value) } },
    yAxis: [names(points, ink), remarks(points.map((point) => `${point.median}\n${point.n}`), ink)],
    tooltip: tooltip(ink, ({ dataIndex, seriesType }) => {
      const { label, box, limit, median } = points[dataIndex];
      const lines = [label, `${words.median}: ${median}`, `${words.middle}: ${box[1].toFixed(1)} – ${box[3].toFixed(1)}`, `p10 – p90: ${box[0].toFixed(1)} – ${box[4].toFixed(1)}`];
      return seriesType === "custom" ? `${label}\n${words.limit}: ${limit}` : lines.join("\n");
    }),
    series: [
      {
        type: "boxplot", boxWidth: [16, 18],
        data: points.map((point) => {
          const colour = point.isFew ? ink.faint : paint(point.color);
          return { value: point.box, itemStyle: { color: colour.replace("rgb(", "rgba(").replace(")", ", 0.14)"), borderColor: colour, borderWidth: 1.5 } };
        }),
      },
      {
        type: "custom", z: 3, name: words.limit, encode: { x: 0, y: 1 },
        data: points.map((point, index) => [point.limit ?? -1, index]),
        renderItem: (_params, api) => {
          if (api.value(0) < 0) return null;
          const [x, y] = api.coord([api.value(0), api.value(1)]);
          return { type: "line", shape: { x1: x, x2: x, y1: y - 14, y2: y + 14 }, style: { stroke: ink.rot, lineWidth: 1.5, lineDash: [3, 2] } };
        },
      },
    ],
  });

  const intervals = ({ points, all, words }, ink) => {
    const colour = { better: ink.green, worse: ink.red, few: ink.faint, "": ink.accent };
    return {
      grid: { left: ink.isNarrow ? 94 : 128, right: ink.isNarrow ? 96 : 112, top: 28, bottom: 24 },
      xAxis: { type: "value", position: "top", min: 0, splitNumber: ink.isNarrow ? 2 : 5, max: 1, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { color: ink.faint, fontSize: SMALL, formatter: (value) => `${Math.round(value * 100)}%` } },
      yAxis: [names(points, ink), remarks(points.map((point) => `${ink.isNarrow ? point.share : `${point.share}, ${point.parts}`}\n${point.said}`), ink)],
      tooltip: tooltip(ink, ({ dataIndex }) => `${points[dataIndex].label}: ${points[dataIndex].share}\n${points[dataIndex].said}`),
      series: [
        {
          type: "custom", encode: { x: [0, 1], y: 2 }, data: points.map((point, index) => [point.low, point.high, index]),
          renderItem: (params, api) => {
            const [from, y] = api.coord([api.value(0), api.value(2)]);
            const [to] = api.coord([api.value(1), api.value(2)]);
            const stroke = colour[points[params.dataIndex].verdict];
            return { type: "line", shape: { x1: from, x2: to, y1: y, y2: y }, style: { stroke, opacity: 0.32, lineWidth: 5, lineCap: "round" } };
          },
        },
        {
          type: "scatter", z: 3,
          data: points.map((point, index) => ({
            value: [point.value, index], symbol: ["better", "worse"].includes(point.verdict) ? "diamond" : "circle", symbolSize: point.verdict in { better: 1, worse: 1 } ? 12 : 10,
            itemStyle: { color: ["better", "worse"].includes(point.verdict) ? colour[point.verdict] : ink.ground, borderColor: colour[point.verdict], borderWidth: 2 },
          })),
          markLine: all === null ? undefined : {
            symbol: "none", silent: true, data: [{ xAxis: all }], lineStyle: { color: ink.second, type: "dashed", width: 1.5 },
            label: { position: "end", formatter: words.all, color: ink.second, fontSize: SMALL, fontWeight: 600 },
          },
        },
      ],
    };
  };

  const trend = ({ points, unit }, ink) => {
    const language = document.documentElement.lang;
    const short = new Intl.NumberFormat(language, unit === "ratio" ? { style: "percent" } : { notation: "compact" });
    const span = points.some((point) => point.low !== null)
      ? [
          { type: "line", stack: "interval", symbol: "none", silent: true, lineStyle: { opacity: 0 }, data: points.map((point) => point.low) },
          { type: "line", stack: "interval", symbol: "none", silent: true, lineStyle: { opacity: 0 }, areaStyle: { color: ink.tint }, data: points.map((point) => (point.low === null ? null : point.high - point.low)) },
        ]
      : [];
    return {
      grid: { left: 56, right: 16, top: 16, bottom: 28 },
      xAxis: { type: "category", boundaryGap: false, data: points.map((point) => point.label), axisLine: { lineStyle: { color: ink.line } }, axisTick: { show: false }, axisLabel: { color: ink.faint, fontSize: SMALL, hideOverlap: true } },
      yAxis: { type: "value", min: 0, splitLine: { lineStyle: { color: ink.line } }, axisLabel: { color: ink.faint, fontSize: SMALL, formatter: (value) => short.format(value) } },
      tooltip: { ...tooltip(ink, (found) => `${points[found[0].dataIndex].label}: ${points[found[0].dataIndex].text}`), trigger: "axis" },
      series: [...span, { type: "line", symbol: "circle", symbolSize: 6, color: ink.accent, lineStyle: { width: 2 }, data: points.map((point) => point.value) }],
    };
  };

  const kinds = { funnel, boxes, intervals, trend };
  const drawn = new Map();

  const draw = (frame) => {
    const figures = JSON.parse(frame.dataset.figures);
    if (frame.dataset.chart === "intervals") frame.style.height = `${figures.points.length * 34 + 60}px`;
    if (frame.dataset.chart === "boxes" || frame.dataset.chart === "funnel") frame.style.height = `${figures.points.length * 36 + 44}px`;
    const chart = drawn.get(frame) ?? echarts.init(frame, null, { renderer: "canvas" });
    drawn.set(frame, chart);
    chart.resize();
    chart.setOption({ animation: false, textStyle: { fontFamily: font() }, ...kinds[frame.dataset.chart](figures, { ...tokens(), isNarrow: frame.clientWidth < 440 }) }, true);
  };
  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);

  document.addEventListener("theme-changed", drawAll);
  document.addEventListener("htmx:load", ({ target }) => target.querySelectorAll("[data-chart]").forEach(draw));
  new ResizeObserver(() => drawn.forEach((chart) => chart.resize())).observe(document.documentElement);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", drawAll);
  else drawAll();
})();
