"""What the audit trail says to people: the dotted names of its rows, in words."""

from __future__ import annotations

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WORDS: dict[str, str | Promise] = {
    "admin.refused": _("A page of the admin was refused"),
    "api_token.issued": _("API token made"),
    "api_token.revoked": _("API token revoked"),
    "article.set": _("Article of a product said"),
    "batch.applied": _("Proposals applied together"),
    "button.refused": _("A button was refused"),
    "buyer.erased": _("Buyer erased"),
    "command.cancelled": _("Command not sent"),
    "command.drifted": _("Changed by somebody else"),
    "command.needs_human": _("Command needs a person"),
    "command.queued": _("Command made"),
    "command.rejected": _("Command rejected by the marketplace"),
    "command.sending": _("Command is being sent"),
    "command.superseded": _("Command replaced by a newer one"),
    "command.undo_failed": _("Undo did not come about"),
    "command.undone": _("Change undone"),
    "command.verified": _("Command verified"),
    "cost.imported": _("Costs entered from a file"),
    "cost.removed": _("Unit cost removed"),
    "cost.set": _("Unit cost entered"),
    "credential.accepted": _("Key accepted again"),
    "credential.changed": _("Key changed"),
    "credential.created": _("Key added"),
    "credential.fell_back": _("New key refused, the former one is at work again"),
    "credential.former_forgotten": _("Former key forgotten"),
    "credential.next_entered": _("Next key entered"),
    "credential.next_refused": _("Next key refused"),
    "credential.reencrypted": _("Secrets encrypted anew"),
    "credential.refused": _("Key refused by the marketplace"),
    "credential.removed": _("Key removed"),
    "credential.took_over": _("Next key took over"),
    "crm_rules.changed": _("Rules of a CRM shop changed"),
    "crm_rules.preset": _("Rules of a CRM shop set"),
    "decision_rules.changed": _("Rules for deciding changed"),
    "decision_rules.created": _("Rules for deciding set"),
    "experiment.extended": _("Experiment extended"),
    "experiment.judged": _("Verdict given"),
    "experiment.kept": _("New price kept"),
    "experiment.rollback_failed": _("Rollback did not come about"),
    "experiment.rolled_back": _("Price rolled back"),
    "experiment.rolling_back": _("Rollback ordered"),
    "experiment.started": _("Experiment started"),
    "experiment.stopped": _("Experiment stopped early"),
    "experiment.void": _("Experiment void"),
    "job.run_now": _("Job started by hand"),
    "list.exported": _("List exported"),
    "login.changed": _("Login changed"),
    "login.created": _("Login created"),
    "login.password_set": _("Password set"),
    "login.removed": _("Login removed"),
    "manager.changed": _("Manager changed"),
    "managerperiod.changed": _("What a manager sells changed"),
    "managerperiod.created": _("What a manager sells entered"),
    "managerperiod.removed": _("What a manager sells removed"),
    "member.changed": _("Member changed"),
    "member.created": _("Member added"),
    "member.removed": _("Member removed"),
    "milestones.changed": _("Milestones changed"),
    "milestones.created": _("Milestones set"),
    "person.changed": _("Person changed"),
    "person.created": _("Person created"),
    "person.removed": _("Person removed"),
    "pricing_rules.changed": _("Pricing rules changed"),
    "pricing_rules.created": _("Pricing rules set"),
    "product_settings.imported": _("Product settings entered from a file"),
    "product_settings.set": _("Product settings changed"),
    "proposal.approved": _("Proposal approved"),
    "proposal.expired": _("Proposal expired"),
    "proposal.made": _("Proposal made"),
    "proposal.objected": _("Approval refused by a guardrail"),
    "proposal.rejected": _("Proposal rejected"),
    "proposal.stale": _("Proposal out of date"),
    "proposal.superseded": _("Proposal replaced by a newer one"),
    "schedule.changed": _("Schedule changed"),
    "schedule_interval.changed": _("Interval of the schedule changed"),
    "schedule_time.changed": _("Time of the schedule changed"),
    "seller.changed": _("Seller changed"),
    "seller.created": _("Seller created"),
    "shop.changed": _("Shop changed"),
    "shop.created": _("Shop created"),
    "source.changed": _("Source of orders changed"),
    "switch.off": _("Changes allowed again"),
    "switch.on": _("Everything stopped"),
    "telegram.code_issued": _("Code for Telegram given"),
    "telegram.link_failed": _("A wrong code for Telegram"),
    "telegram.linked": _("Telegram linked"),
}


def say(action: str) -> str:
    """The action in words; the name itself where nobody has written any."""
    return str(WORDS.get(action, action))


def subject_in_words(subject: str) -> str:
    """A row's name in the trail ("decisions.proposal:7") as people call it; what names no row stays as it is."""
    label, _colon, number = subject.partition(":")
    try:
        model = apps.get_model(label)
    except (LookupError, ValueError):
        return subject
    return f"{model._meta.verbose_name} № {number}"
