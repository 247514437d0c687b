"""Facts of deals: won, lost, and open at an instant."""

from metrics.facts.fact import Fact, missing_rate, rate_on

_CLOSED_DIMENSIONS = {
    "owner": "coalesce(d.closing_owner_id, d.owner_id)",
    "pipeline": "d.pipeline_id",
    "source": "d.source_id",
}

_WON_DAY = "(d.won_at AT TIME ZONE %(tz)s)::date"
_CYCLE = "extract(epoch FROM d.won_at - d.created_at)::float8 / 86400"

_WORTH = "d.amount * r.rate"

WON = Fact(
    name="won",
    dimensions=_CLOSED_DIMENSIONS,
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, count(d.amount) AS amounts,
               coalesce(sum({_WORTH}), 0) AS amount,
               (percentile_disc(0.5) WITHIN GROUP (ORDER BY {_WORTH})
                + percentile_disc(0.5) WITHIN GROUP (ORDER BY {_WORTH} DESC)) / 2 AS median_amount,
               percentile_cont(0.9) WITHIN GROUP (ORDER BY {_WORTH}) AS p90_amount,
               {missing_rate("d.amount", currency="d.currency", day=_WON_DAY)} AS missing,
               count(d.created_at) AS cycles, avg({_CYCLE}) AS mean_cycle,
               percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {_CYCLE}) AS cycle_quantiles
        FROM periods p
        JOIN pipeline_deal d
            ON d.outcome = 'won' AND d.won_at >= p.starts AND d.won_at < p.ends AND d.deleted_at IS NULL
        {rate_on(_WON_DAY, currency="d.currency")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Deals won in the period: how many, for how much at the rate of the day, and how long they took.

The median is the mean of the two middle amounts, exact where `percentile_cont` would go through floats.
"""

_LOST_DAY = "(d.lost_at AT TIME ZONE %(tz)s)::date"

LOST = Fact(
    name="lost",
    dimensions=_CLOSED_DIMENSIONS,
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, coalesce(sum(d.amount * r.rate), 0) AS amount,
               {missing_rate("d.amount", currency="d.currency", day=_LOST_DAY)} AS missing
        FROM periods p
        JOIN pipeline_deal d
            ON d.outcome = 'lost' AND d.lost_at >= p.starts AND d.lost_at < p.ends AND d.deleted_at IS NULL
        {rate_on(_LOST_DAY, currency="d.currency")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Deals lost in the period."""

_AS_OF_DAY = "(p.as_of AT TIME ZONE %(tz)s)::date"

OPEN = Fact(
    name="open",
    dimensions={"owner": "d.owner_id", "pipeline": "d.pipeline_id", "source": "d.source_id"},
    sql=f"""
        , amounts_then AS (
            SELECT DISTINCT ON (p.i, c.deal_id) p.i, c.deal_id, c.amount, c.currency
            FROM periods p JOIN pipeline_dealamountchange c ON c.at > p.as_of
            ORDER BY p.i, c.deal_id, c.at
        ), probabilities AS (
            SELECT p.i, s.id AS stage_id, coalesce(
                (SELECT c.before FROM pipeline_stageprobabilitychange c
                 WHERE c.stage_id = s.id AND c.at > p.as_of ORDER BY c.at LIMIT 1), s.probability) / 100 AS probability
            FROM periods p CROSS JOIN pipeline_stage s
        ), standing AS (
            SELECT p.i, d.id, {{key}} AS key, v.stage_id, {_AS_OF_DAY} AS day,
                   CASE WHEN a.deal_id IS NULL THEN d.amount ELSE a.amount END AS amount,
                   coalesce(a.currency, d.currency) AS currency
            FROM periods p
            JOIN pipeline_deal d ON tstzrange(d.created_at, coalesce(d.won_at, d.lost_at)) @> p.as_of
                AND d.deleted_at IS NULL AND (d.created_at IS NOT NULL OR d.recorded_at <= p.as_of)
            LEFT JOIN amounts_then a ON a.i = p.i AND a.deal_id = d.id
            LEFT JOIN pipeline_stagevisit v ON v.deal_id = d.id AND v.reverted_at IS NULL
                AND (v.entered_at IS NULL OR v.entered_at <= p.as_of) AND (v.left_at IS NULL OR v.left_at > p.as_of)
            WHERE {{narrow}}
        )
        SELECT o.i, o.key, count(*) AS n, coalesce(sum(o.amount * r.rate), 0) AS amount,
               coalesce(sum(o.amount * r.rate * w.probability), 0) AS weighted,
               {missing_rate("o.amount", currency="o.currency", day="o.day")} AS missing
        FROM standing o
        LEFT JOIN probabilities w ON w.i = o.i AND w.stage_id = o.stage_id
        {rate_on("o.day", currency="o.currency")}
        GROUP BY 1, 2
    """,
)
"""Deals open when the period ends (or now, if it has not): with the amount, stage and probability they had then."""

NEW_CUSTOMERS = Fact(
    name="new_customers",
    dimensions={"source": "f.source_id"},
    sql="""
        , wins AS (
            SELECT coalesce('company ' || coalesce(d.company_id, c.company_id), 'contact ' || c.id) AS customer,
                   d.won_at, d.source_id, d.id
            FROM pipeline_deal d LEFT JOIN crm_contact c ON c.id = d.contact_id
            WHERE d.outcome = 'won' AND d.deleted_at IS NULL
        ), firsts AS MATERIALIZED (
            SELECT DISTINCT ON (customer) won_at, source_id FROM wins WHERE customer IS NOT NULL
            ORDER BY customer, won_at, id
        )
        SELECT p.i, {key} AS key, count(*) AS n
        FROM periods p JOIN firsts f ON f.won_at >= p.starts AND f.won_at < p.ends
        WHERE {narrow} GROUP BY 1, 2
    """,
)
"""Companies, or people without one, whose first won deal was won in the period; it brings along its source.

A won deal that names neither has no customer one could count.
"""
