"""The people who use Voronka, and their teams."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cached_property
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.models.audit import audited


def time_zone_choices() -> list[tuple[str, str]]:
    """Every IANA zone of this machine, as form choices."""
    return [(name, name) for name in sorted(zoneinfo.available_timezones())]


class Team(models.Model):
    """Reps who work together, and the managers who lead them."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    shares_records = models.BooleanField(
        _("members see each other's records"),
        default=True,
        help_text=_("Off: a rep of this team sees only what is their own."),
    )
    leaders: models.ManyToManyField[User, Any] = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="led_teams",
        blank=True,
        verbose_name=_("led by"),
        help_text=_("Managers who see and change everything of this team."),
    )
    working_calendar = models.ForeignKey(
        "crm.WorkingCalendar",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("working calendar"),
        help_text=_("Empty: the organisation's."),
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class UserQuerySet(models.QuerySet["User"]):
    """People, by what they may do."""

    def active(self) -> Self:
        """People who can log in."""
        return self.filter(is_active=True)

    def visible_to(self, user: User) -> Self:
        """People whose records `user` may read: the choices of an owner filter."""
        ids = user.visible_owner_ids
        return self.all() if ids is None else self.filter(pk__in=ids)

    def assignable_by(self, user: User) -> Self:
        """People to whom `user` may give work: those they see, without viewers and the departed."""
        return self.visible_to(user).active().exclude(role=User.Role.VIEWER)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Makes people."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person who logs in with `email`; without a password they cannot log in yet."""
        user: User = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an admin, as `manage.py createsuperuser` does."""
        return self.create_user(email, password, **{"role": User.Role.ADMIN, **fields})

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by e-mail, in any case."""
        return self.get(email__iexact=username)


@audited(kind="user", ignore=("password", "last_login", "signature", "columns"))
class User(AbstractBaseUser):
    """A person who logs in by e-mail; what they may do follows from their role alone."""

    class Role(models.TextChoices):
        """What a person is here for."""

        REP = "rep", _("Sales rep")
        MANAGER = "manager", _("Manager")
        ADMIN = "admin", _("Admin")
        VIEWER = "viewer", _("Viewer")

    class Theme(models.TextChoices):
        """Light, dark, or as the device says."""

        AUTO = "auto", _("As the device says")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("full name"), max_length=150)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.REP)
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, blank=True, related_name="members", verbose_name=_("team")
    )
    is_active = models.BooleanField(_("can log in"), default=True)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE)
    time_zone = models.CharField(_("time zone"), max_length=64, choices=time_zone_choices, default=settings.TIME_ZONE)
    working_calendar = models.ForeignKey(
        "crm.WorkingCalendar",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("working calendar"),
        help_text=_("Empty: the team's, else the organisation's."),
    )
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, default=Theme.AUTO)
    digest_at = models.TimeField(
        _("daily digest at"),
        default=dt.time(8),
        help_text=_("On your clock, on each day on which there is something to say."),
    )
    quiet_from = models.TimeField(
        _("quiet from"), null=True, blank=True, help_text=_("Nothing is sent between these times; it waits.")
    )
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    signature = models.TextField(
        _("signature"), blank=True, max_length=10_000, help_text=_("It stands under the e-mails that you write.")
    )

    # Read with the person on every request: a list that is opened without columns asks nothing to know them.
    columns = models.JSONField(_("columns of lists"), default=dict, db_default={}, blank=True, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(Lower("email"), name="crm_user_email_any_case"),
            models.CheckConstraint(
                name="crm_user_quiet_hours_whole",
                condition=models.Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                violation_error_message=_("Give both the beginning and the end of the quiet hours, or neither."),
            ),
        )

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name, as the Django admin greets people."""
        return str(self)

    def get_short_name(self) -> str:
        """The first word of the name."""
        return str(self).split(" ", maxsplit=1)[0]

    @property
    def is_admin(self) -> bool:
        """Whether this person shapes the process."""
        return self.role == self.Role.ADMIN

    @property
    def is_manager(self) -> bool:
        """Whether this person leads teams."""
        return self.role == self.Role.MANAGER

    @property
    def is_in_charge(self) -> bool:
        """Whether this person answers for others' work: managers and admins."""
        return self.is_manager or self.is_admin

    @property
    def may_write(self) -> bool:
        """Whether this person may change anything at all."""
        return self.role != self.Role.VIEWER

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin opens: for admins."""
        return self.is_active and self.is_admin

    @property
    def is_superuser(self) -> bool:
        """Admins hold every permission of the Django admin."""
        return self.is_staff

    def has_perm(self, perm: str, obj: object | None = None) -> bool:  # noqa: ARG002 (Django's signature)
        """Django's permissions all belong to admins; records are guarded by `visible_to`."""
        return self.is_staff

    def has_perms(self, perm_list: list[str], obj: object | None = None) -> bool:  # noqa: ARG002 (Django's signature)
        """See `has_perm`."""
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 (Django's signature)
        """See `has_perm`."""
        return self.is_staff

    @cached_property
    def led_team_ids(self) -> frozenset[int]:
        """Ids of the teams this person leads. Read once a request, for a list asks for them many times over."""
        return frozenset(Team.leaders.through.objects.filter(user_id=self.pk).values_list("team_id", flat=True))

    @property
    def own_team_ids(self) -> frozenset[int]:
        """Ids of the team this person belongs to and of those they lead."""
        return self.led_team_ids | ({self.team_id} if self.team_id else frozenset())

    @cached_property
    def visible_owner_ids(self) -> frozenset[int] | None:
        """Ids of the people whose records this person reads; None means everybody's. Read afresh on every request."""
        if self.role in {self.Role.ADMIN, self.Role.VIEWER}:
            return None
        if self.is_manager:
            colleagues = User.objects.filter(team__leaders=self)
        elif self.team_id and self.team and self.team.shares_records:
            colleagues = User.objects.filter(team_id=self.team_id)
        else:
            return frozenset({self.pk})
        return frozenset(colleagues.values_list("pk", flat=True)) | {self.pk}

    @cached_property
    def editable_owner_ids(self) -> frozenset[int] | None:
        """Ids of the people whose records this person changes; None means everybody's."""
        if not self.may_write:
            return frozenset()
        return frozenset({self.pk}) if self.role == self.Role.REP else self.visible_owner_ids
