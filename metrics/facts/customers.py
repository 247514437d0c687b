"""Facts of customers: who runs a contract, who left, what they pay, and what winning them cost."""

from metrics.facts.fact import Fact, missing_rate, rate_on

_TERM = "daterange(c.starts_on, LEAST(c.ends_on, c.cancelled_on))"

CUSTOMERS = Fact(
    name="customers",
    dimensions={"owner": "c.owner_id"},
    sql=f"""
        , covers AS MATERIALIZED (
            SELECT {{key}} AS key, c.company_id, range_agg({_TERM}) AS cover
            FROM pipeline_contract c WHERE c.deleted_at IS NULL AND NOT isempty({_TERM}) AND {{narrow}}
            GROUP BY 1, 2
        )
        SELECT p.i, x.key, count(*) AS n,
               count(*) FILTER (
                   WHERE (SELECT upper(term) FROM unnest(x.cover) AS term WHERE term @> p.first_day) < p.end_day
               ) AS churned
        FROM periods p JOIN covers x ON x.cover @> p.first_day
        GROUP BY 1, 2
    """,
)
"""Customers with a contract on the period's first day, and those whose first day without one falls into it."""

RECURRING = Fact(
    name="recurring",
    dimensions={"owner": "c.owner_id"},
    sql=f"""
        , worth AS (
            SELECT p.i, {{key}} AS key, c.company_id, c.currency, p.first_day AS day,
                   sum(c.monthly_value) FILTER (WHERE {_TERM} @> p.first_day) AS before,
                   sum(c.monthly_value) FILTER (WHERE {_TERM} @> p.last_day) AS after
            FROM periods p
            JOIN pipeline_contract c ON c.deleted_at IS NULL AND {_TERM} && daterange(p.first_day, p.last_day, '[]')
            WHERE {{narrow}} GROUP BY 1, 2, 3, 4, 5
        ), customers AS (
            SELECT w.i, w.key, w.company_id, sum(w.before * r.rate) AS before, coalesce(sum(w.after * r.rate), 0) AS after,
                   {missing_rate("w.before", currency="w.currency", day="w.day")} AS missing
            FROM worth w {rate_on("w.day", currency="w.currency")}
            GROUP BY 1, 2, 3
        )
        SELECT i, key, count(before) AS n, coalesce(sum(before), 0) AS before,
               coalesce(sum(after) FILTER (WHERE before IS NOT NULL), 0) AS after,
               coalesce(sum(greatest(before - after, 0)), 0) AS lost, min(missing) AS missing
        FROM customers GROUP BY 1, 2
    """,
)
"""Monthly value of the customers active on the first day: then, on the last day, and what was lost, at one rate."""

SPEND = Fact(
    name="spend",
    dimensions={"source": "m.source_id"},
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, coalesce(sum(m.amount * r.rate), 0) AS amount,
               {missing_rate("m.amount", currency="m.currency", day='m."on"')} AS missing
        FROM periods p JOIN metrics_spend m ON m."on" >= p.first_day AND m."on" < p.end_day
        {rate_on('m."on"', currency="m.currency")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Money spent in the period, sales and marketing."""
