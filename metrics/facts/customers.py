"""Facts of customers: who runs a contract, who left, what they pay, and what winning them cost."""

from metrics.facts.fact import Fact, missing_rate, rate_on

_DIMENSIONS = {
    "owner": "coalesce(c.owner_id, d.owner_id, o.owner_id)",
    "pipeline": "d.pipeline_id",
    "source": "d.source_id",
    "campaign": "d.campaign_id",
    "segment": "d.lead_id",
}
_TERMS = """
    , terms AS MATERIALIZED (
        SELECT {key} AS key, c.company_id, c.currency, c.monthly_value, c.starts_on,
               coalesce(LEAST(c.ends_on, c.cancelled_on), 'infinity') AS until
        FROM pipeline_contract c
        JOIN crm_company o ON o.id = c.company_id
        LEFT JOIN pipeline_deal d ON d.id = c.deal_id
        WHERE c.deleted_at IS NULL AND c.starts_on < coalesce(LEAST(c.ends_on, c.cancelled_on), 'infinity')
            AND {narrow}
    )
"""
"""Contracts that ran for a day at least. Under a filter a customer is what the contracts that fit it say."""

CUSTOMERS = Fact(
    name="customers",
    dimensions=_DIMENSIONS,
    sql=f"""
        {_TERMS}, spans AS (
            SELECT key, unnest(range_agg(daterange(starts_on, until))) AS span FROM terms GROUP BY key, company_id
        )
        SELECT p.i, s.key, count(*) FILTER (WHERE s.span @> p.first_day) AS n,
               count(*) FILTER (WHERE s.span @> p.first_day AND upper(s.span) < p.end_day) AS churned,
               count(*) FILTER (WHERE upper(s.span) = p.first_day) AS at_turn
        FROM periods p JOIN spans s ON s.span @> p.first_day OR upper(s.span) = p.first_day
        GROUP BY 1, 2
    """,
)
"""Customers with a contract on the period's first day, and those whose first day without one falls into it.

Terms without a gap between them are one span: the next term is a renewal. `at_turn` are those whose first day without a
contract is the first day itself: by the definition customers of neither period, and therefore told.
"""

RECURRING = Fact(
    name="recurring",
    dimensions=_DIMENSIONS,
    sql=f"""
        {_TERMS}, events AS (
            SELECT key, company_id, currency, starts_on AS day, monthly_value AS delta, 1 AS running FROM terms
            UNION ALL
            SELECT key, company_id, currency, until, -monthly_value, -1 FROM terms WHERE until < 'infinity'
            UNION ALL
            SELECT DISTINCT a.key, a.company_id, b.currency, days.day, 0::numeric, 0
            FROM (
                SELECT key, company_id FROM terms GROUP BY 1, 2 HAVING min(currency) < max(currency)
            ) AS a
            JOIN terms b ON b.company_id = a.company_id AND b.key IS NOT DISTINCT FROM a.key
            JOIN terms e ON e.company_id = a.company_id AND e.key IS NOT DISTINCT FROM a.key
                AND e.currency <> b.currency
            CROSS JOIN LATERAL (VALUES (e.starts_on), (e.until)) AS days (day)
            WHERE days.day < 'infinity'
        ), steps AS (
            SELECT key, company_id, currency, day AS since,
                   coalesce(lead(day) OVER life, 'infinity') AS until,
                   sum(sum(delta)) OVER life AS worth, sum(sum(running)) OVER life AS running
            FROM events GROUP BY key, company_id, currency, day
            WINDOW life AS (PARTITION BY key, company_id, currency ORDER BY day)
        ), stretches AS (
            SELECT p.i, s.key, s.company_id, s.since, s.until, p.first_day, p.last_day,
                   sum(s.worth * r.rate) AS worth, sum(s.running) AS running,
                   {missing_rate("s.worth", currency="s.currency", day="p.first_day")} AS missing
            FROM periods p
            JOIN steps s ON s.since < p.end_day AND s.until > p.first_day AND (s.running > 0 OR s.since >= p.first_day)
            {rate_on("p.first_day", currency="s.currency")}
            GROUP BY 1, 2, 3, 4, 5, 6, 7
        ), customers AS (
            SELECT i, key, company_id,
                   coalesce(sum(running) FILTER (WHERE since <= first_day), 0) AS running,
                   min(worth) AS lowest, min(missing) AS missing,
                   sum(worth) FILTER (WHERE since <= first_day) AS before,
                   sum(worth) FILTER (WHERE since <= last_day AND until > last_day) AS after
            FROM stretches GROUP BY 1, 2, 3
        )
        SELECT i, key, count(*) FILTER (WHERE running > 0) AS n,
               coalesce(sum(before) FILTER (WHERE running > 0), 0) AS before,
               coalesce(sum(after) FILTER (WHERE running > 0), 0) AS after,
               coalesce(sum(before - lowest) FILTER (WHERE running > 0), 0) AS lost,
               min(missing) FILTER (WHERE running > 0) AS missing
        FROM customers GROUP BY 1, 2
    """,
)
"""Monthly value of the customers active on the first day: then, on the last day, and the most that was lost between.

A customer's contracts add up to steps: what they are worth a month from one day to the next change. What was lost is
how far that fell below the start's at the lowest: coming back later makes up for nothing. Values are at the rates of
the first day, so that exchange rates are no churn.
"""

SPEND = Fact(
    name="spend",
    dimensions={"source": "m.source_id", "campaign": "m.campaign_id"},
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, coalesce(sum(m.amount * r.rate), 0) AS amount,
               {missing_rate("m.amount", currency="m.currency", day='m."on"')} AS missing
        FROM periods p JOIN metrics_spend m ON m."on" >= p.first_day AND m."on" < p.end_day
        {rate_on('m."on"', currency="m.currency")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Money spent in the period, sales and marketing."""
