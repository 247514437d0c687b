"""Facts of deals: won, lost, and open at an instant."""

from metrics.facts.fact import Fact, missing_rate, rate_on

_CLOSED_DIMENSIONS = {
    "owner": "coalesce(d.closing_owner_id, d.owner_id)",
    "pipeline": "d.pipeline_id",
    "source": "d.source_id",
    "campaign": "d.campaign_id",
    "segment": "d.lead_id",
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


_KNOWN_SINCE = "CASE WHEN d.created_at IS NULL THEN GREATEST(v.entered_at, d.recorded_at) ELSE v.entered_at END"
"""A deal of unknown creation is open since its recording, like `Deal.objects.open_at` says."""


def _instants_before(time: str) -> str:
    """How many of the instants asked about lie before `time`; all of them where it is null."""
    return f"coalesce(width_bucket({time} - interval '1 microsecond', n.instants), cardinality(n.instants))"


OPEN = Fact(
    name="open",
    dimensions=_CLOSED_DIMENSIONS,
    sql=f"""
        , instants AS (
            SELECT as_of, row_number() OVER (ORDER BY as_of) AS number
            FROM (SELECT DISTINCT as_of FROM periods) AS asked
        ), n AS MATERIALIZED (
            SELECT array_agg(as_of ORDER BY as_of) AS instants
            FROM instants
        ), standing AS (
            SELECT d.id, {{key}} AS key, v.stage_id, d.currency, d.amount,
                   {_instants_before(_KNOWN_SINCE)} AS after,
                   {_instants_before("LEAST(v.left_at, d.won_at, d.lost_at)")} AS until
            FROM n
            JOIN pipeline_stagevisit v ON v.reverted_at IS NULL AND (v.left_at IS NULL OR v.left_at > %(first_instant)s)
                AND (v.entered_at IS NULL OR v.entered_at <= %(last_instant)s)
            JOIN pipeline_deal d ON d.id = v.deal_id AND d.deleted_at IS NULL
                AND coalesce(d.won_at, d.lost_at, 'infinity') > %(first_instant)s
            WHERE {{narrow}}
        ), amounts AS (
            SELECT c.deal_id, c.amount, c.currency,
                   CASE WHEN lag(c.at) OVER life IS NULL THEN 0
                        ELSE {_instants_before("lag(c.at) OVER life")} END AS after,
                   {_instants_before("c.at")} AS until
            FROM n, pipeline_dealamountchange c WINDOW life AS (PARTITION BY c.deal_id ORDER BY c.at, c.id)
        ), worth AS (
            SELECT deal_id, amount, currency, after, until FROM amounts WHERE until > after
            UNION ALL
            SELECT a.deal_id, d.amount, d.currency, max(a.until), cardinality(n.instants)
            FROM n, amounts a JOIN pipeline_deal d ON d.id = a.deal_id GROUP BY 1, 2, 3, n.instants
        ), pieces AS (
            SELECT key, stage_id, currency, after, until, count(*) AS n, sum(amount) AS amount
            FROM standing s
            WHERE until > after AND NOT EXISTS (SELECT FROM pipeline_dealamountchange c WHERE c.deal_id = s.id)
            GROUP BY 1, 2, 3, 4, 5
            UNION ALL
            SELECT s.key, s.stage_id, w.currency, greatest(s.after, w.after), least(s.until, w.until),
                   count(*), sum(w.amount)
            FROM standing s JOIN worth w ON w.deal_id = s.id
            WHERE greatest(s.after, w.after) < least(s.until, w.until)
            GROUP BY 1, 2, 3, 4, 5
        ), sums AS (
            SELECT p.i, p.as_of, (p.as_of AT TIME ZONE %(tz)s)::date AS day, o.key, o.stage_id, o.currency,
                   sum(o.n) AS n, sum(o.amount) AS amount
            FROM pieces o
            JOIN instants t ON t.number > o.after AND t.number <= o.until
            JOIN periods p ON p.as_of = t.as_of
            GROUP BY 1, 2, 3, 4, 5, 6
        ), probabilities AS (
            SELECT p.i, s.id AS stage_id, coalesce(
                (SELECT c.before FROM pipeline_stageprobabilitychange c
                 WHERE c.stage_id = s.id AND c.at > p.as_of ORDER BY c.at LIMIT 1), s.probability) / 100 AS probability
            FROM periods p CROSS JOIN pipeline_stage s
        )
        SELECT o.i, o.key, sum(o.n)::bigint AS n, coalesce(sum(o.amount * r.rate), 0) AS amount,
               coalesce(sum(o.amount * r.rate * w.probability), 0) AS weighted,
               {missing_rate("o.amount", currency="o.currency", day="o.day")} AS missing
        FROM sums o
        JOIN probabilities w ON w.i = o.i AND w.stage_id = o.stage_id
        {rate_on("o.day", currency="o.currency")}
        GROUP BY 1, 2
    """,
)
"""Deals open when the period ends (or now, if it has not): with the amount, stage and probability they had then.

An open deal stands in exactly one stay, so stays are counted: each covers the instants numbered `after` < number ≤
`until`, and so does each amount a deal once had. Stays that cover the same instants are added up before anything else,
so that a hundred thousand deals cost one pass, however many instants are asked about.
"""

NEW_CUSTOMERS = Fact(
    name="new_customers",
    dimensions={"source": "f.source_id", "campaign": "f.campaign_id"},
    sql="""
        , wins AS (
            SELECT coalesce('company ' || coalesce(d.company_id, c.company_id), 'contact ' || c.id) AS customer,
                   d.won_at, d.source_id, d.campaign_id, d.id
            FROM pipeline_deal d LEFT JOIN crm_contact c ON c.id = d.contact_id
            WHERE d.outcome = 'won' AND d.deleted_at IS NULL
        ), firsts AS MATERIALIZED (
            SELECT DISTINCT ON (customer) won_at, source_id, campaign_id FROM wins WHERE customer IS NOT NULL
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
