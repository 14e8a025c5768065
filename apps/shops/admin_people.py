"""Pages of people: their logins, and each seller's team."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.common import formats
from apps.common.clock import real_now
from apps.shops.asking import is_superuser, person_of, seller_of_request
from apps.shops.linking import issue_code
from apps.shops.models import Language, LinkCode, Member, Person
from apps.shops.roles import Action, Role
from apps.shops.scoped_admin import ScopedAdmin, ScopedInline, SuperuserOnly
from apps.shops.typed_unfold import Fieldsets, display

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class LoginAdmin(SuperuserOnly[User], UserAdmin):
    """Logins of the whole installation. What one may do is a matter of roles: Django's permissions are left out."""

    audit_name = "login"
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    fieldsets: ClassVar = [
        (None, {"fields": ["username", "password", "first_name", "last_name", "email"]}),
        (None, {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (None, {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = []

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """A page of its own, which knows no `save_model`; it leads elsewhere when it has done its work."""
        response = super().user_change_password(request, id, form_url)
        if response.status_code == HTTPStatus.FOUND:
            self.audit(request, User.objects.get(pk=id), "password_set")
        return response


class MembershipInline(ScopedInline[Member]):
    model = Member
    fields = ["seller", "role"]
    ordering = ["pk"]
    view_action = add_action = change_action = delete_action = Action.MANAGE


class PersonAdmin(SuperuserOnly[Person]):
    """People across all sellers. A seller's own people are its members."""

    list_display = ["__str__", "telegram_id", "language", "active_seller"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    list_select_related = ["user", "active_seller"]
    fields = ["user", "telegram_id", "language", "active_seller"]
    inlines = [MembershipInline]


PERSONAL = ("first_name", "last_name", "language", "password")
NOT_FILLED_IN = {"autocomplete": "off"}  # by the browser, with the data of whoever sits at it


class TeamForm(forms.ModelForm):
    """A member, and with it the person: name, language, and a password to log in here with."""

    first_name = forms.CharField(
        label=gettext_lazy("First name"), max_length=150, widget=UnfoldAdminTextInputWidget(attrs=NOT_FILLED_IN)
    )
    last_name = forms.CharField(
        label=gettext_lazy("Last name"),
        max_length=150,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs=NOT_FILLED_IN),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=Language.choices, widget=UnfoldAdminSelectWidget(choices=[])
    )
    password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "For the login here; never shown again. Without one the person works in Telegram alone."
        ),
    )

    class Meta:
        model = Member
        fields = ["seller", "role"]

    def clean_password(self) -> str:
        given: str = self.cleaned_data["password"]
        if given:
            validate_password(given, self.instance.person.user if self.instance.pk else None)
        return given

    def save_person(self, user: User) -> Person:
        """Write what is personal. A password is what makes a login a login."""
        user.first_name, user.last_name = self.cleaned_data["first_name"], self.cleaned_data["last_name"]
        if self.cleaned_data["password"]:
            user.set_password(self.cleaned_data["password"])
            user.is_staff = True
        user.save()
        person, _created = Person.objects.get_or_create(user=user)
        person.language = self.cleaned_data["language"]
        person.save()
        return person


class NewMemberForm(TeamForm):
    username = forms.CharField(
        label=gettext_lazy("Login"),
        max_length=150,
        validators=[User.username_validator],
        widget=UnfoldAdminTextInputWidget(attrs=NOT_FILLED_IN),
    )

    def clean_username(self) -> str:
        name: str = User.normalize_username(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("This login is taken; choose another."))
        return name

    def save_person(self, user: User) -> Person:
        user.username = self.cleaned_data["username"]
        user.set_unusable_password()
        person = super().save_person(user)
        person.active_seller = self.cleaned_data["seller"]
        person.save(update_fields=["active_seller"])
        return person


class MemberForm(TeamForm):
    """Of people who work elsewhere too, or who keep the installation, a seller decides on the role alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = self.instance.person
        self.initial.update(
            first_name=person.user.first_name, last_name=person.user.last_name, language=person.language
        )
        for name in PERSONAL:
            self.fields[name].disabled = not is_of_this_team_alone(person)

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if role != Role.OWNER and is_last_owner(self.instance):
            raise forms.ValidationError(_("A seller needs an owner: give this role to somebody else first."))
        return role

    def save_person(self, user: User) -> Person:
        person: Person = self.instance.person
        return super().save_person(user) if is_of_this_team_alone(person) else person


def is_of_this_team_alone(person: Person) -> bool:
    return not person.user.is_superuser and person.members.count() <= 1


def is_last_owner(member: Member) -> bool:
    others = Member.objects.filter(seller=member.seller_id, role=Role.OWNER).exclude(pk=member.pk)
    return member.role == Role.OWNER and not others.exists()


class Reach(TypedDict):
    """What the list of members adds to its rows."""

    telegram_id: int | None
    code_until: datetime | None
    logs_in: bool


class MemberAdmin(ScopedAdmin[Member]):
    """A seller's team. A new member is a new person; somebody of another seller's team is a superuser's matter."""

    list_display = ["name", "role", "telegram", "has_login", "created_at"]
    list_display_links = ["name"]
    list_select_related = ["person__user", "seller"]
    list_filter = ["seller", "role"]
    search_fields = ["person__user__username", "person__user__first_name", "person__user__last_name"]
    ordering = ["seller", "pk"]
    actions = ["give_code"]
    view_action = add_action = change_action = delete_action = Action.MANAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        open_codes = LinkCode.objects.filter(person=OuterRef("person"), used_at=None, expires_at__gt=real_now())
        staff = User.objects.filter(pk=OuterRef("person__user"), is_staff=True, is_active=True)
        members = super().get_queryset(request)
        return members.annotate(
            telegram_id=F("person__telegram_id"),
            code_until=open_codes.order_by("-pk").values("expires_at")[:1],
            logs_in=Exists(staff),
        )

    def get_form(
        self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Member]]:
        return super().get_form(request, obj, change, form=MemberForm if obj else NewMemberForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Member | None = None) -> Fieldsets:
        login = [] if obj else ["username"]
        return [
            (None, {"fields": ["seller", "role"]}),
            (_("person"), {"fields": ["first_name", "last_name", "language", *login, "password"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> list[str]:
        return ["seller"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"seller": seller_of_request(request), **super().get_changeform_initial_data(request)}

    @display(description=gettext_lazy("name"), ordering="person__user__first_name")
    def name(self, member: Member) -> str:
        return str(member.person)

    @display(description="Telegram", label={"linked": "success", "code": "info", "none": "default"})
    def telegram(self, member: WithAnnotations[Member, Reach]) -> tuple[str, str]:
        if member.telegram_id:
            return "linked", _("linked")
        if member.code_until:
            return "code", _("code until %(moment)s") % {
                "moment": formats.moment(member.code_until, get_current_timezone_name())
            }
        return "none", _("not linked")

    @display(description=gettext_lazy("login"), boolean=True, ordering="logs_in")
    def has_login(self, member: WithAnnotations[Member, Reach]) -> bool:
        return bool(member.logs_in)

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and is_last_owner(obj))

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        obj.person = form.save_person(obj.person.user if change else User())
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Member) -> None:
        if is_last_owner(obj):
            raise PermissionDenied
        super().delete_model(request, obj)
        Person.objects.filter(pk=obj.person_id, active_seller=obj.seller_id).update(active_seller=None)

    @admin.action(description=gettext_lazy("Give a one-time code to link Telegram"), permissions=["change"])
    def give_code(self, request: HttpRequest, members: QuerySet[Member]) -> None:
        """Shown once; only its digest is kept. Whoever has the code speaks to the bot as this person, everywhere."""
        for member in members:
            is_theirs = is_superuser(request) or member.person == person_of(request)
            if not is_theirs and not is_of_this_team_alone(member.person):
                words = _("%(person)s works elsewhere too: they ask for a code themselves.") % {"person": member.person}
                self.message_user(request, words, messages.ERROR)
                continue
            code = issue_code(person=member.person, by=person_of(request), now=real_now())
            words = _("%(person)s: send the bot /start %(code)s") % {"person": member.person, "code": code}
            self.message_user(request, words, messages.SUCCESS)
