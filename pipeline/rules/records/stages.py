"""Pipelines and stages as files name them: by slug, or by name in either language, in any case."""

from __future__ import annotations

from functools import cached_property

from django.utils.translation import gettext as _

from crm.rules.records.entries import RowRefused
from crm.rules.records.mapping import listed
from crm.rules.records.references import name_key
from pipeline.models import Pipeline, Stage


class StageNames:
    """Every pipeline with its stages, read once an import."""

    @cached_property
    def pipelines(self) -> list[Pipeline]:
        """Pipelines in their order, those in use first."""
        return list(Pipeline.objects.order_by("is_archived", "position", "pk"))

    @cached_property
    def by_id(self) -> dict[int, Stage]:
        """Every stage, archived ones included: history happened in them."""
        return {stage.pk: stage for stage in Stage.objects.order_by("is_archived", "position", "pk")}

    def of(self, pipeline: Pipeline) -> list[Stage]:
        """The stages of a pipeline in order, archived ones last."""
        return [stage for stage in self.by_id.values() if stage.pipeline_id == pipeline.pk]

    def pipeline(self, text: str | None) -> Pipeline:
        """The pipeline a cell names; the first where it names none. Raises RowRefused with those that exist."""
        if not text:
            if not self.pipelines:
                raise RowRefused("pipeline", _("There is no pipeline yet; an admin makes one."))
            return self.pipelines[0]
        for pipeline in self.pipelines:
            if name_key(text) in _names(pipeline):
                return pipeline
        raise RowRefused(
            "pipeline",
            _("There is no such pipeline. There are: %(known)s.") % {"known": listed([p.slug for p in self.pipelines])},
        )

    def stage(self, pipeline: Pipeline, text: str) -> Stage:
        """The stage of `pipeline` that a cell names; raises RowRefused with those that exist."""
        for stage in self.of(pipeline):
            if name_key(text) in _names(stage):
                return stage
        known = [stage.slug for stage in self.of(pipeline) if not stage.is_archived]
        raise RowRefused(
            "stage",
            _(
                "Pipeline “%(pipeline)s” has no such stage. It has: %(known)s. "
                "A mapping can say which is meant, under [values.stage]."
            )
            % {"pipeline": pipeline.slug, "known": listed(known)},
        )

    def first_open(self, pipeline: Pipeline) -> Stage:
        """The stage in which deals of a pipeline begin."""
        return self._open(pipeline)[0]

    def last_open(self, pipeline: Pipeline) -> Stage:
        """The stage from which deals of a pipeline are won."""
        return self._open(pipeline)[-1]

    def _open(self, pipeline: Pipeline) -> list[Stage]:
        stages = [stage for stage in self.of(pipeline) if not stage.is_won and not stage.is_archived]
        if not stages:
            raise RowRefused("stage", _("Pipeline “%(pipeline)s” has no open stage.") % {"pipeline": pipeline.slug})
        return stages


def _names(row: Pipeline | Stage) -> set[str]:
    return {name_key(name) for name in (row.slug, row.name, row.name_ru) if name}
