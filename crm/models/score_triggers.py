"""Triggers that notice what a score depends on, whichever code changes it: rules, imports, merging, mail coming in.

`Lead.scored_at` is emptied when something the score looks at has changed; `Lead.last_sign_at` is the latest sign of
interest: a touch of theirs, or one of ours that they took well.
"""

from __future__ import annotations

import pgtrigger

LOOKED_AT = ("source", "campaign", "email", "phone", "company_name", "message", "created_at", "status")
"""Columns of a lead whose change asks for a new score."""

SCORED = ("score", "score_reasons", "score_model_id", "scored_at", "last_sign_at")
"""Columns that follow from others, in which the audit log has no interest."""

_FOLLOW = """
UPDATE crm_lead SET
    scored_at = NULL,
    last_sign_at = (
        SELECT max(a.at) FROM crm_activity a
        WHERE a.subject_type_id = @row@.subject_type_id AND a.subject_id = @row@.subject_id
            AND a.deleted_at IS NULL AND a.kind <> 'note' AND (a.direction = 'in' OR a.response = 'positive')
    )
WHERE id = @row@.subject_id AND @row@.subject_type_id = (
    SELECT id FROM django_content_type WHERE app_label = 'crm' AND model = 'lead'
);
"""

touches_score = pgtrigger.Trigger(
    name="touches_score",
    when=pgtrigger.After,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    func=(
        "IF TG_OP <> 'DELETE' THEN"
        + _FOLLOW.replace("@row@", "NEW")
        + "END IF;\n"
        + "IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (OLD.subject_type_id, OLD.subject_id)"
        + " <> (NEW.subject_type_id, NEW.subject_id)) THEN"
        + _FOLLOW.replace("@row@", "OLD")
        + "END IF;\nRETURN NULL;"
    ),
)
"""What happened with a lead is part of its score from then on."""

scored_anew = pgtrigger.Trigger(
    name="scored_anew",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    condition=pgtrigger.AnyChange(*LOOKED_AT),
    func="NEW.scored_at := NULL; RETURN NEW;",
)
"""A corrected fact is part of the score from then on."""
