"""What PostgreSQL itself keeps true about deals: totals of columns, tiling visits, the history of amounts."""

import pgtrigger

stage_totals = [
    pgtrigger.Trigger(
        name=f"totals_{operation}",
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        operation=kind,
        referencing=pgtrigger.Referencing(**tables),
        func=f"""
            INSERT INTO pipeline_stagetotal (stage_id, owner_id, currency, deals, planned, amount)
            SELECT stage_id, owner_id, currency, sum(sign), coalesce(sum(sign) FILTER (WHERE next_step_at IS NOT NULL), 0),
                   sum(sign * coalesce(amount, 0))
            FROM ({rows}) AS changed
            WHERE outcome = 'open' AND deleted_at IS NULL
            GROUP BY stage_id, owner_id, currency
            HAVING sum(sign) <> 0 OR sum(sign * coalesce(amount, 0)) <> 0
                OR sum(sign) FILTER (WHERE next_step_at IS NOT NULL) <> 0;
            RETURN NULL;
        """,
    )
    for operation, kind, tables, rows in (
        ("insert", pgtrigger.Insert, {"new": "new_rows"}, "SELECT 1 AS sign, * FROM new_rows"),
        ("delete", pgtrigger.Delete, {"old": "old_rows"}, "SELECT -1 AS sign, * FROM old_rows"),
        (
            "update",
            pgtrigger.Update,
            {"old": "old_rows", "new": "new_rows"},
            "SELECT -1 AS sign, * FROM old_rows UNION ALL SELECT 1 AS sign, * FROM new_rows",
        ),
    )
]
"""Every change of deals appends what it adds to and takes from each column: sums of 100,000 cards cost a few rows.

Appended, never updated, so that two movers never wait for each other; `StageTotal.objects.compact()` adds them up.
"""

deal_agrees_with_visits = pgtrigger.Trigger(
    name="agrees_with_visits",
    when=pgtrigger.After,
    timing=pgtrigger.Deferred,
    operation=pgtrigger.Insert
    | pgtrigger.UpdateOf("stage_id", "pipeline_id", "outcome", "won_at", "lost_at", "created_at"),
    declare=[
        ("deal", "pipeline_deal%ROWTYPE"),
        ("first_stay", "pipeline_stagevisit%ROWTYPE"),
        ("last_stay", "pipeline_stagevisit%ROWTYPE"),
    ],
    func="""
        SELECT * INTO deal FROM pipeline_deal WHERE id = NEW.id;
        IF NOT FOUND THEN RETURN NULL; END IF;
        SELECT * INTO first_stay FROM pipeline_stagevisit
        WHERE deal_id = deal.id AND reverted_at IS NULL ORDER BY entered_at NULLS FIRST, id LIMIT 1;
        SELECT * INTO last_stay FROM pipeline_stagevisit
        WHERE deal_id = deal.id AND reverted_at IS NULL ORDER BY entered_at DESC NULLS LAST, id DESC LIMIT 1;
        IF first_stay.id IS NULL THEN
            RAISE EXCEPTION 'deal % has no stage visit', deal.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_has_visits';
        ELSIF first_stay.entered_at IS DISTINCT FROM deal.created_at THEN
            RAISE EXCEPTION 'deal % begins at % but its first visit at %', deal.id, deal.created_at, first_stay.entered_at
                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_begins_with_visit';
        ELSIF NOT (CASE deal.outcome
            WHEN 'open' THEN last_stay.left_at IS NULL
            WHEN 'won' THEN last_stay.left_at IS NULL OR last_stay.left_at = deal.won_at
            ELSE coalesce(last_stay.left_at = deal.lost_at, false)
        END) THEN
            RAISE EXCEPTION 'deal % is % but its last visit ends at %', deal.id, deal.outcome, last_stay.left_at
                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_ends_with_visit';
        ELSIF last_stay.left_at IS NULL AND last_stay.stage_id <> deal.stage_id THEN
            RAISE EXCEPTION 'deal % stands in stage % but its visit is to stage %', deal.id, deal.stage_id, last_stay.stage_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_stands_in_visit';
        ELSIF NOT EXISTS (SELECT 1 FROM pipeline_stage WHERE id = deal.stage_id AND pipeline_id = deal.pipeline_id) THEN
            RAISE EXCEPTION 'deal % stands in a stage of another pipeline', deal.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_deal_stage_of_pipeline';
        END IF;
        RETURN NULL;
    """,
)
"""Looked at when the transaction commits: a deal's beginning, end and stage are those of its visits."""

amount_history = pgtrigger.Trigger(
    name="amount_history",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("amount", "currency"),
    # An import corrects history rather than adding to it.
    condition=pgtrigger.Condition(
        "((OLD.amount IS DISTINCT FROM NEW.amount OR OLD.currency <> NEW.currency)"
        " AND current_setting('voronka.through', true) IS DISTINCT FROM 'import')"
    ),
    func="""
        INSERT INTO pipeline_dealamountchange (deal_id, at, amount, currency)
        VALUES (OLD.id, now(), OLD.amount, OLD.currency);
        RETURN NULL;
    """,
)

probability_history = pgtrigger.Trigger(
    name="probability_history",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("probability"),
    condition=pgtrigger.Condition("OLD.probability <> NEW.probability"),
    func="""
        INSERT INTO pipeline_stageprobabilitychange (stage_id, at, before) VALUES (OLD.id, now(), OLD.probability);
        RETURN NULL;
    """,
)

visits_have_no_gaps = [
    pgtrigger.Trigger(
        name=f"no_gaps_{operation}",
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        operation=kind,
        referencing=pgtrigger.Referencing(**tables),
        declare=[("torn", "bigint")],
        func=f"""
            SELECT stay.deal_id INTO torn FROM (
                SELECT deal_id, entered_at,
                       lag(left_at) OVER life AS previous_left_at, row_number() OVER life AS place
                FROM pipeline_stagevisit
                WHERE reverted_at IS NULL AND deal_id IN (SELECT deal_id FROM {changed})
                WINDOW life AS (PARTITION BY deal_id ORDER BY entered_at NULLS FIRST, left_at NULLS LAST, id)
            ) AS stay
            WHERE place > 1 AND entered_at IS DISTINCT FROM previous_left_at LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'the visits of deal % leave a gap', torn
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'pipeline_visit_no_gap';
            END IF;
            RETURN NULL;
        """,
    )
    for operation, kind, tables, changed in (
        ("insert", pgtrigger.Insert, {"new": "new_rows"}, "new_rows"),
        ("update", pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}, "new_rows"),
        ("delete", pgtrigger.Delete, {"old": "old_rows"}, "old_rows"),
    )
]
"""After every statement each visit begins when the one before it ended."""
