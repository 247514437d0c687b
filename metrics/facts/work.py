"""Facts of follow-ups: done in time, or left lying."""

from metrics.facts.fact import Fact, about

_DIMENSIONS = {
    "owner": "f.assignee_id",
    "pipeline": "d.pipeline_id",
    "source": "coalesce(d.source_id, l.source_id)",
    "campaign": "coalesce(d.campaign_id, l.campaign_id)",
    "segment": "coalesce(d.lead_id, l.id)",
}

DUE = Fact(
    name="due",
    dimensions=_DIMENSIONS,
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n, count(*) FILTER (WHERE f.done_at <= f.due_at) AS in_time
        FROM periods p
        JOIN crm_followup f ON f.due_at >= p.starts AND f.due_at < p.ends AND f.due_at <= %(now)s
            AND f.deleted_at IS NULL
        {about("f")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Follow-ups that fell due in the period, and those done by then."""

OVERDUE = Fact(
    name="overdue",
    dimensions=_DIMENSIONS,
    sql=f"""
        SELECT p.i, {{key}} AS key, count(*) AS n
        FROM periods p
        JOIN crm_followup f ON f.due_at < p.as_of AND f.created_at <= p.as_of
            AND (f.done_at IS NULL OR f.done_at > p.as_of) AND f.deleted_at IS NULL
        {about("f")}
        WHERE {{narrow}} GROUP BY 1, 2
    """,
)
"""Follow-ups open and past due when the period ended, or now."""
