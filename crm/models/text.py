"""Text that is searched and text that exists in two languages."""

from django.db import models
from django.db.models import F, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower, Replace
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def folded(text: str) -> str:
    """Fold a search text as the `search` columns are folded: lower case, ё as е."""
    return text.strip().lower().replace("ё", "е")


class Joined(Func):
    """Join texts with line ends; immutable, as a generated column demands (`concat_ws` is not)."""

    template = "(%(expressions)s)"
    arg_joiner = " || E'\\n' || "


def search_column(*fields: str) -> models.GeneratedField:
    """A stored column with the folded text of `fields`, for trigram search and for sorting names."""
    joined: Combinable = F(fields[0]) if len(fields) == 1 else Joined(*(F(name) for name in fields))
    return models.GeneratedField(
        expression=Replace(Lower(joined), Value("ё"), Value("е")),
        output_field=models.TextField(),
        db_persist=True,
    )


class Bilingual(models.Model):
    """Something an admin names in English and in Russian."""

    name = models.CharField(_("name"), max_length=120)
    name_ru = models.CharField(_("name in Russian"), max_length=120, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the language being spoken; the English one where the Russian is empty."""
        is_russian = (get_language() or "").startswith("ru")
        return self.name_ru if is_russian and self.name_ru else self.name
