"""Facts of leads and of the touches with them."""

from metrics.facts.fact import Fact, about

_DIMENSIONS = {
    "owner": "l.owner_id",
    "team": "CASE WHEN l.owner_id IS NULL THEN l.team_id ELSE (SELECT team_id FROM crm_user WHERE id = l.owner_id) END",
    "source": "l.source_id",
    "campaign": "l.campaign_id",
    "segment": "l.id",
}
_UNASSIGNED = "(l.owner_id IS NULL AND (%(all_teams)s OR l.team_id IS NULL OR l.team_id = ANY(%(teams)s)))"
_HOURS = "extract(epoch FROM l.first_response_at - l.created_at)::float8 / 3600"

LEADS = Fact(
    name="leads",
    dimensions=_DIMENSIONS,
    unassigned=_UNASSIGNED,
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n,
               count(*) FILTER (WHERE d.outcome = 'won') AS won,
               count(*) FILTER (
                   WHERE d.outcome IS DISTINCT FROM 'won' AND (d.outcome = 'lost' OR l.status = 'disqualified')
               ) AS dead,
               count(l.first_response_at) AS answered, avg({_HOURS}) AS mean_hours,
               percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {_HOURS}) AS hours_quantiles,
               count(*) FILTER (WHERE l.first_response_at <= l.answer_by) AS in_time,
               count(*) FILTER (WHERE l.first_response_at IS NOT NULL OR l.answer_by <= %(now)s) AS judged
        FROM periods p
        JOIN crm_lead l ON l.created_at >= p.starts AND l.created_at < p.ends AND l.deleted_at IS NULL
        LEFT JOIN pipeline_deal d ON d.lead_id = l.id AND d.deleted_at IS NULL
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Leads that came in during the period: what became of them so far, and how soon they were answered."""

LEADS_WON = Fact(
    name="leads_won",
    dimensions=_DIMENSIONS,
    unassigned=_UNASSIGNED,
    sql="""
        SELECT p.i, {key} AS key, count(*) AS n
        FROM periods p
        JOIN pipeline_deal d
            ON d.outcome = 'won' AND d.won_at >= p.starts AND d.won_at < p.ends AND d.deleted_at IS NULL
        JOIN crm_lead l ON l.id = d.lead_id AND l.deleted_at IS NULL
        WHERE {narrow} GROUP BY 1, 2
    """,
)
"""Leads, whenever they came in, whose deal was won in the period."""

LEADS_QUALIFIED = Fact(
    name="leads_qualified",
    dimensions=_DIMENSIONS,
    unassigned=_UNASSIGNED,
    sql="""
        SELECT p.i, {key} AS key, count(*) AS n
        FROM periods p
        JOIN crm_lead l ON l.qualified_at >= p.starts AND l.qualified_at < p.ends AND l.deleted_at IS NULL
        WHERE {narrow} GROUP BY 1, 2
    """,
)
"""Leads, whenever they came in, that were found worth a deal in the period."""

TOUCHES = Fact(
    name="touches",
    dimensions={
        "owner": "t.author_id",
        "pipeline": "d.pipeline_id",
        "source": "coalesce(d.source_id, l.source_id)",
        "campaign": "coalesce(d.campaign_id, l.campaign_id)",
        "segment": "coalesce(d.lead_id, l.id)",
    },
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, count(*) FILTER (WHERE t.response = 'positive') AS positive
        FROM periods p
        JOIN crm_activity t ON t.kind <> 'note' AND t.direction = 'out' AND t.at >= p.starts AND t.at < p.ends
            AND t.deleted_at IS NULL
        {about("t")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Outbound touches of the period, and those that were answered positively."""
