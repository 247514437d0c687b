"""Facts of stage visits: who first reached a stage, and how long stays were."""

from metrics.facts.fact import Fact

_DIMENSIONS = {
    "owner": "coalesce(d.closing_owner_id, d.owner_id)",
    "pipeline": "d.pipeline_id",
    "source": "d.source_id",
}

REACHED = Fact(
    name="reached",
    is_list=True,
    dimensions=_DIMENSIONS,
    sql="""
        , moving AS (
            SELECT DISTINCT v.deal_id FROM periods p
            JOIN pipeline_stagevisit v ON v.entered_at >= p.starts AND v.entered_at < p.ends AND v.reverted_at IS NULL
        ), steps AS (
            SELECT v.deal_id, s.pipeline_id, s.position, v.entered_at,
                   max(s.position) OVER (
                       PARTITION BY v.deal_id ORDER BY v.entered_at NULLS FIRST, v.id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ) AS before,
                   max(s.position) OVER (PARTITION BY v.deal_id) AS furthest
            FROM moving JOIN pipeline_stagevisit v ON v.deal_id = moving.deal_id AND v.reverted_at IS NULL
            JOIN pipeline_stage s ON s.id = v.stage_id
        ), reaches AS (
            SELECT p.i, {key} AS key, t.id AS stage_id, d.outcome,
                   st.furthest > t.position OR d.outcome = 'won' AS has_passed
            FROM periods p
            JOIN steps st ON st.entered_at >= p.starts AND st.entered_at < p.ends
                AND (st.before IS NULL OR st.position > st.before)
            JOIN pipeline_stage t ON t.pipeline_id = st.pipeline_id AND t.kind = 'open'
                AND t.position <= st.position AND t.position > coalesce(st.before, -1)
            JOIN pipeline_deal d ON d.id = st.deal_id AND d.deleted_at IS NULL
            WHERE {narrow}
        )
        SELECT i, key, stage_id, count(*) AS n, count(*) FILTER (WHERE has_passed) AS passed,
               count(*) FILTER (WHERE NOT has_passed AND outcome = 'open') AS pending
        FROM reaches GROUP BY 1, 2, 3
    """,
)
"""Deals that first reached each open stage in the period; reaching a later stage reaches the ones before it."""

_DAYS = "extract(epoch FROM v.left_at - v.entered_at)::float8 / 86400"

STAYS = Fact(
    name="stays",
    is_list=True,
    dimensions=_DIMENSIONS,
    sql=f"""
        SELECT p.i, {{key}} AS key, v.stage_id, count(*) AS n, avg({_DAYS}) AS mean,
               percentile_cont(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY {_DAYS}) AS quantiles
        FROM periods p
        JOIN pipeline_stagevisit v ON v.left_at >= p.starts AND v.left_at < p.ends AND v.reverted_at IS NULL
            AND v.entered_at IS NOT NULL
        JOIN pipeline_deal d ON d.id = v.deal_id AND d.deleted_at IS NULL
        WHERE {{narrow}} GROUP BY 1, 2, 3
    """,
)
"""Stays of known beginning that ended in the period, by stage, in days."""

STAGE_LIST = Fact(
    name="stage_list",
    is_list=True,
    dimensions={"pipeline": "s.pipeline_id"},
    sql="""
        SELECT p.i, NULL::bigint AS key, s.id AS stage_id, s.slug, s.kind, pl.slug AS pipeline_slug, pl.id AS pipeline_id
        FROM periods p CROSS JOIN pipeline_stage s JOIN pipeline_pipeline pl ON pl.id = s.pipeline_id
        WHERE NOT s.is_archived AND {narrow} ORDER BY pl.position, pl.id, s.position, s.id
    """,
)
"""The stages there are, in their order: so that one nobody reached is shown as such."""
