"""Facts of stage visits: who first reached a stage, and how long stays were."""

from metrics.facts.fact import Fact

_DIMENSIONS = {
    "owner": "coalesce(d.closing_owner_id, d.owner_id)",
    "pipeline": "d.pipeline_id",
    "source": "d.source_id",
    "campaign": "d.campaign_id",
    "segment": "d.lead_id",
}

REACHED = Fact(
    name="reached",
    is_list=True,
    dimensions=_DIMENSIONS,
    sql="""
        , places AS (
            SELECT id AS stage_id, pipeline_id, kind,
                   row_number() OVER (PARTITION BY pipeline_id ORDER BY position, id) AS place
            FROM pipeline_stage
        ), goals AS (
            SELECT pipeline_id, min(place) AS place FROM places WHERE kind = 'won' GROUP BY 1
        ), moving AS (
            SELECT deal_id FROM pipeline_stagevisit
            WHERE entered_at >= %(first)s AND entered_at < %(last)s AND reverted_at IS NULL
            UNION
            SELECT id FROM pipeline_deal WHERE outcome = 'won' AND won_at >= %(first)s AND won_at < %(last)s
        ), entries AS (
            SELECT v.deal_id, s.pipeline_id, s.place, s.stage_id, v.entered_at, v.id
            FROM pipeline_stagevisit v JOIN places s ON s.stage_id = v.stage_id
            WHERE v.deal_id = ANY (ARRAY(SELECT deal_id FROM moving)) AND v.reverted_at IS NULL
            UNION ALL
            SELECT d.id, d.pipeline_id, g.place, NULL, d.won_at, NULL
            FROM pipeline_deal d JOIN goals g ON g.pipeline_id = d.pipeline_id
            WHERE d.id = ANY (ARRAY(SELECT deal_id FROM moving)) AND d.outcome = 'won'
        ), steps AS (
            SELECT deal_id, pipeline_id, place, stage_id, entered_at,
                   max(place) OVER (
                       PARTITION BY deal_id ORDER BY entered_at NULLS FIRST, id NULLS LAST
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ) AS before,
                   max(place) OVER (PARTITION BY deal_id) AS furthest
            FROM entries
        ), reaches AS (
            SELECT p.i, {key} AS key, t.stage_id, d.outcome, t.stage_id = st.stage_id AS has_entered,
                   st.furthest > t.place OR d.outcome = 'won' AS has_passed
            FROM periods p
            JOIN steps st ON st.entered_at >= p.starts AND st.entered_at < p.ends
                AND (st.before IS NULL OR st.place > st.before)
            JOIN places t ON t.pipeline_id = st.pipeline_id AND t.place <= st.place AND t.place > coalesce(st.before, 0)
            JOIN pipeline_deal d ON d.id = st.deal_id AND d.deleted_at IS NULL
            WHERE {narrow}
        )
        SELECT i, key, stage_id, count(*) AS n, count(*) FILTER (WHERE has_passed) AS passed,
               count(*) FILTER (WHERE NOT has_passed AND outcome = 'open') AS pending,
               count(*) FILTER (WHERE has_entered) AS entered
        FROM reaches GROUP BY 1, 2, 3
    """,
)
"""Deals that first reached each stage in the period; reaching a later stage, or winning, reaches the ones before it.

The deals that moved are handed over as an array: as a join PostgreSQL hashes all stays to find the few (300 ms against
140 ms of its time, at 100,000 deals).
"""

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
    is_shared=True,
    dimensions={"pipeline": "s.pipeline_id"},
    sql="""
        SELECT 0 AS i, NULL::bigint AS key, s.id AS stage_id, s.slug, s.kind, s.is_archived,
               pl.slug AS pipeline_slug, pl.id AS pipeline_id
        FROM pipeline_stage s JOIN pipeline_pipeline pl ON pl.id = s.pipeline_id
        WHERE {narrow} ORDER BY pl.position, pl.id, s.position, s.id
    """,
)
"""The stages there are, in their order: so that one nobody reached is shown as such."""
