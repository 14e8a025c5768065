"""A seller with a row of everything that the admin shows, every text of it marked with one name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django_celery_beat.models import IntervalSchedule

from apps.catalog.cost_sheet import CostSheet
from apps.catalog.models import (
    Brand,
    Category,
    Cost,
    Participation,
    PriceChange,
    Product,
    Promotion,
    StockSnapshot,
    Warehouse,
)
from apps.catalog.product_settings import set_settings
from apps.catalog.settings_sheet import SettingsSheet
from apps.catalog.sheet_import import prepare_import
from apps.catalog.sheet_words import Field
from apps.common.clock import real_now
from apps.common.sheet_reader import SheetRow
from apps.dashboard.models import Milestones
from apps.dashboard.tokens import issue_token
from apps.decisions.kinds import hash_of
from apps.decisions.models import Approval, Attempt, Command, DecisionRules, Proposal, ReadBack
from apps.experiments.models import Experiment, Verdict
from apps.inventory.models import LowStock
from apps.jobs.models import JobRun, SyncRun
from apps.jobs.schedule import seed
from apps.notifications.models import OutboxMessage
from apps.pricing.analysis import CHOICE, FACTS
from apps.pricing.kinds import PricePayload
from apps.pricing.models import PriceRecommendation, PricingSettings
from apps.sales.models import (
    Accrual,
    Buyer,
    DailyFact,
    DayCheck,
    Expense,
    ExpenseType,
    Manager,
    ManagerPeriod,
    MissingOrder,
    Order,
    OrderLine,
    Return,
    SalesHistory,
    Source,
)
from apps.shops.audit import record
from apps.shops.models import Credential, CrmRules, KillSwitch, Member, Person, Seller, Shop
from apps.shops.roles import Role
from bots.models import TelegramUpdate
from tests.cast import person
from tests.pricing.cases import facts
from tests.reports.rows import choice

TODAY = date(2026, 3, 16)
NOON = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
REASON = {"code": "stock_long", "direction": "down", "figures": {"stock": 120, "cover_days": "96"}}

PASSED = {"code": "within_step", "figures": {"price": "1590", "low_price": "1341", "high_price": "1639"}}


@dataclass(frozen=True)
class Filled:
    seller: Seller
    shop: Shop
    owner: Member

    @property
    def people(self) -> list[Person]:
        return [member.person for member in self.seller.members.select_related("person__user")]


def fill(mark: str, *, telegram_id: int | None = None) -> Filled:
    """The seller of `mark`: a shop, a team of four roles, products with history, decisions and their stories."""
    seller = Seller.objects.create(name=f"{mark} & co")
    shop = Shop.objects.create(seller=seller, name=f"{mark} shelf")
    Credential.objects.create(
        shop=shop, api=Credential.Api.OZON_SELLER, client_id=f"{mark}-client", secret=f"canary-{mark}-secret"
    )
    KillSwitch.objects.create(shop=shop, is_on=False)
    PricingSettings.objects.create(shop=shop)
    DecisionRules.objects.create(shop=shop)
    Milestones.objects.create(shop=shop)
    owner = add_member(seller, mark, Role.OWNER, telegram_id=telegram_id)
    issue_token(member=owner, name=f"{mark} sheet", scope="read", life=timedelta(days=30), now=real_now())
    for role in (Role.APPROVER, Role.ANALYST, Role.VIEWER):
        add_member(seller, f"{mark} {role}", role)
    products = [add_product(shop, mark, number) for number in range(3)]
    SalesHistory.objects.create(shop=shop, sales_from=date(2025, 9, 1), events_from=date(2025, 9, 1))
    add_sheets(shop, mark, owner)
    set_settings(product=products[2], values={Field.MAX_PRICE: Decimal(1900)}, by=owner.person)
    add_crm(shop, mark, 1)
    add_decisions(shop, products, owner)
    add_clockwork(shop, mark, owner)
    record("seller.created", actor=owner.person, seller=seller, subject=f"{mark} began")
    return Filled(seller, shop, owner)


def add_member(seller: Seller, name: str, role: Role, *, telegram_id: int | None = None) -> Member:
    made = person(name, telegram_id=telegram_id)
    made.user.is_staff = True
    made.user.save()
    return Member.objects.create(person=made, seller=seller, role=role)


def add_product(shop: Shop, mark: str, number: int) -> Product:
    brand, _ = Brand.objects.get_or_create(shop=shop, name=f"{mark} brand")
    category, _ = Category.objects.get_or_create(shop=shop, external_id="1", defaults={"name": f"{mark} category"})
    warehouse, _ = Warehouse.objects.get_or_create(
        shop=shop, scheme=Warehouse.Scheme.FBO, external_id="7", defaults={"name": f"{mark} warehouse"}
    )
    product = Product.objects.create(
        shop=shop,
        external_id=f"{shop.pk}00{number}",
        offer_id=f"{mark}-{number}",
        sku=shop.pk * 100_000 + number,
        name=f"{mark} teapot {number}",
        brand=brand,
        category=category,
        currency="RUB",
        price=Decimal(1490),
        old_price=Decimal(1990),
        synced_at=NOON,
    )
    author = Person.objects.filter(members__seller=shop.seller).order_by("pk").first()
    Cost.objects.create(product=product, starts_on=date(2026, 1, 1), amount=600, currency="RUB", entered_by=author)
    PriceChange.objects.create(
        product=product,
        seen_at=NOON,
        seen_on=TODAY,
        price_from=1390,
        price_to=1490,
        currency="RUB",
        source="first_seen",
    )
    promotion, _ = Promotion.objects.get_or_create(
        shop=shop, external_id="1", defaults={"title": f"{mark} promotion", "kind": "STOCK_DISCOUNT", "participants": 3}
    )
    Participation.objects.create(promotion=promotion, product=product, action_price=1390, max_action_price=1450)
    StockSnapshot.objects.create(product=product, warehouse=warehouse, day=TODAY, present=120, reserved=2)
    DailyFact.objects.create(product=product, day=TODAY - timedelta(days=1), units=3, revenue=4470, in_stock=True)
    LowStock.objects.create(product=product, level=LowStock.Level.LOW, since_on=TODAY)
    Accrual.objects.create(
        shop=shop, external_id=f"{product.pk}", type_code="990", day=TODAY, unit_number=f"{mark} unit",
        product=product, amount=-30, currency="RUB",
    )  # fmt: skip
    order = Order.objects.create(
        shop=shop,
        external_id=f"{mark}-{number}-1",
        order_number=f"{mark}-{number}",
        channel=f"{mark} channel",
        status=Order.Status.OPEN,
        raw_status="delivering",
        placed_at=NOON,
        placed_on=TODAY,
        total=1490,
        currency="RUB",
    )
    OrderLine.objects.create(
        order=order,
        position=1,
        product=product,
        external_product_id=product.external_id,
        name=product.name,
        quantity=1,
        price=1490,
    )
    Return.objects.create(
        shop=shop,
        external_id=f"{product.pk}",
        posting_number=order.external_id,
        sku=str(product.sku),
        quantity=1,
        kind="Client",
        returned_on=TODAY,
    )
    return product


def add_crm(shop: Shop, mark: str, number: int) -> Order:
    """What only a shop in a CRM has, however this one's own kind."""
    CrmRules.objects.get_or_create(shop=shop, defaults={"brand_field": f"{mark} field", "lost_statuses": [19]})
    source = Source.objects.create(shop=shop, external_id=number, name=f"{mark} source", currency="RUB", role="sales")
    manager = Manager.objects.create(shop=shop, external_id=number, name=f"{mark} manager")
    ManagerPeriod.objects.create(manager=manager, sales_type="retail")
    buyer = Buyer.objects.create(
        shop=shop, external_id=number, name=f"{mark} buyer", phone=f"+38000{number:07}", email=f"{mark}@example.com"
    )
    order = Order.objects.create(
        shop=shop, external_id=f"{mark}-crm-{number}", order_number=f"{mark}-crm-{number}", channel="keycrm",
        source=source, manager=manager, buyer=buyer, status=Order.Status.OPEN, raw_status="1", placed_at=NOON,
        placed_on=TODAY, total=700, currency="RUB",
    )  # fmt: skip
    OrderLine.objects.create(
        order=order,
        position=0,
        product=shop.products.first(),
        external_product_id=mark,
        name=mark,
        quantity=1,
        price=700,
    )
    kind = ExpenseType.objects.create(shop=shop, external_id=number, name=f"{mark} delivery", alias="delivery")
    Expense.objects.create(order=order, external_id=number, type=kind, amount=70, paid_at=NOON)
    MissingOrder.objects.create(
        shop=shop, external_id=number, reason=f"{mark} reason", looked_at=NOON, look_again_on=TODAY
    )
    day = TODAY - timedelta(days=number)
    counts = dict.fromkeys(("source_orders", "found_orders", "stored_orders"), 3)
    totals = dict.fromkeys(("source_total", "found_total", "stored_total"), Decimal(700))
    DayCheck.objects.create(shop=shop, day=day, checked_at=NOON, **counts, **totals)
    return order


def add_sheets(shop: Shop, mark: str, by: Member) -> None:
    for kind, title in ((CostSheet, "unit cost"), (SettingsSheet, "lowest price")):
        rows = [SheetRow(1, ("offer id", title)), SheetRow(2, (f"{mark}-0", 650)), SheetRow(3, (f"{mark}-9", 7))]
        prepare_import(kind, shop=shop, rows=rows, file_name=f"{mark}.xlsx", by=by.person, today=TODAY)


def add_proposal(product: Product, *, state: Proposal.State = Proposal.State.PENDING) -> Proposal:
    payload = PricePayload(
        product_id=product.pk,
        external_id=product.external_id,
        currency="RUB",
        price=Decimal(1590),
        old_price=Decimal(1990),
        expected_price=Decimal(1490),
        expected_old_price=Decimal(1990),
    )
    proposal = Proposal.objects.create(
        shop=product.shop,
        kind="price",
        target=f"price:{product.pk}",
        payload=payload.model_dump(mode="json"),
        payload_hash=hash_of(payload),
        state=state,
        currency="RUB",
        effect=310,
        effect_low=90,
        effect_high=540,
        worst_case=-60,
        created_at=NOON,
        data_as_of=NOON,
        expires_at=real_now() + timedelta(days=1),
        checks=[PASSED],
    )
    PriceRecommendation.objects.create(
        proposal=proposal,
        product=product,
        facts=FACTS.dump_python(facts(price=Decimal(1490), stock=120, commission_rate=None, as_of=NOON), mode="json"),
        reasons=[REASON],
        choice=CHOICE.dump_python(choice(price=Decimal(1590), current_price=Decimal(1490)), mode="json"),
    )
    add_card(proposal, "proposal", f"{product.name}: 1,490 → 1,590")
    return proposal


def add_card(subject: Proposal | Experiment, noun: str, text: str) -> None:
    """The copy of the seller's first person, as it was sent and as it read after an edit."""
    seller = subject.shop.seller
    owner = seller.members.order_by("pk")[0].person
    OutboxMessage.objects.create(
        key=f"{noun}:{subject.pk}:{owner.pk}",
        seller=seller,
        person=owner,
        name=f"{'verdict' if noun == 'experiment' else noun}_card",
        subject=f"{noun}:{subject.pk}",
        state=OutboxMessage.State.SENT,
        texts=[{"at": NOON.isoformat(), "text": f"<b>{text}</b>\n{words}"} for words in ("as sent", "as edited")],
    )


def add_command(product: Product, by: Member, *, state: Command.State = Command.State.VERIFIED) -> Command:
    proposal = add_proposal(product, state=Proposal.State.APPROVED)
    Approval.objects.create(proposal=proposal, member=by, verdict=Approval.Verdict.APPROVE, at=NOON)
    command = Command.objects.create(
        proposal=proposal,
        shop=product.shop,
        kind="price",
        target=proposal.target,
        payload=proposal.payload,
        payload_hash=proposal.payload_hash,
        account=f"{product.shop.name} account",
        state=state,
        checks=proposal.checks,
        writes=1,
        due_at=NOON,
        created_at=NOON,
        sent_at=NOON,
        verified_at=NOON,
    )
    Attempt.objects.create(
        command=command,
        number=1,
        started_at=NOON,
        finished_at=NOON,
        outcome=Attempt.Outcome.ACCEPTED,
        answer={"updated": True, "shop": product.shop.name},
        checks=[PASSED],
        request={"path": "/v1/product/import/prices", "body": {"prices": [{"price": "1590"}]}},
    )
    for after_sends, price in enumerate(("1490", "1590")):
        ReadBack.objects.create(
            command=command, at=NOON, after_sends=after_sends, value={"price": price, "currency": "RUB"}
        )
    return command


def add_experiment(product: Product, by: Member, *, state: Experiment.State = Experiment.State.JUDGED) -> Experiment:
    experiment = Experiment.objects.create(
        shop=product.shop,
        product=product,
        command=add_command(product, by),
        state=state,
        starts_on=TODAY - timedelta(days=8),
        price_from=1490,
        price_to=1590,
        currency="RUB",
        economics={},
    )
    Verdict.objects.create(
        experiment=experiment,
        as_of=TODAY,
        result=Verdict.Result.SUCCESS,
        advice=Verdict.Advice.KEEP,
        basis=Verdict.Basis.PROFIT,
        probability=0.97,
        prior_probability=0.6,
        effect=0.12,
        effect_low=0.03,
        effect_high=0.2,
        loss_if_kept=0.01,
        loss_if_rolled_back=0.1,
        per_day=310,
        per_day_low=90,
        per_day_high=540,
        observed=41,
        expected=36.4,
        valid_days=7,
        inferred_days=0,
        controls=200,
        log_likelihood=[0.0],
    )
    add_card(experiment, "experiment", f"{product.name}: success")
    return experiment


def add_decisions(shop: Shop, products: list[Product], owner: Member) -> None:
    """The newest of each kind is the one that waits for somebody."""
    add_command(products[2], owner, state=Command.State.NEEDS_HUMAN)
    add_experiment(products[1], owner)
    add_proposal(products[0])


def add_clockwork(shop: Shop, mark: str, owner: Member) -> None:
    run = JobRun.objects.create(
        job="ozon_sync",
        shop=shop,
        slot=TODAY.isoformat(),
        as_of=NOON,
        state=JobRun.State.FAILED,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=41),
        problem={"message": f"{mark} error"},
    )
    SyncRun.objects.create(
        shop=shop,
        job_run=run,
        source="facts",
        state=SyncRun.State.COMPLETE,
        received=3,
        started_at=NOON,
        finished_at=NOON,
        as_of=NOON,
        error=f"{mark} error",
    )
    OutboxMessage.objects.create(
        key=f"{mark}:1", seller=shop.seller, person=owner.person, name="proposal_card", subject=f"{mark}:1"
    )


def crowd(of: Filled, size: int) -> None:
    """So many more rows of everything, for lists that must not grow slow."""
    seed()
    for number in range(100, 100 + size):
        name = f"Crowd {number}"
        product = add_product(of.shop, name, number)
        add_sheets(of.shop, name, of.owner)
        add_crm(of.shop, name, number)
        add_proposal(product)
        add_experiment(product, of.owner)
        shop = Shop.objects.create(seller=of.seller, name=name)
        Credential.objects.create(shop=shop, api=Credential.Api.OZON_SELLER, client_id=name, secret=name)
        KillSwitch.objects.create(shop=shop, is_on=False, changed_by=of.owner.person)
        PricingSettings.objects.create(shop=shop)
        Milestones.objects.create(shop=shop)
        issue_token(member=of.owner, name=name, scope="read", life=timedelta(days=30), now=real_now())
        DecisionRules.objects.create(shop=shop)
        CrmRules.objects.create(shop=shop)
        add_clockwork(shop, name, add_member(of.seller, name, Role.VIEWER))
        record("shop.created", actor=of.owner.person, shop=shop, subject=shop)
        Promotion.objects.create(shop=of.shop, external_id=name, title=name, kind="STOCK_DISCOUNT", participants=0)
        IntervalSchedule.objects.create(every=number, period=IntervalSchedule.MINUTES)
        TelegramUpdate.objects.create(update_id=number, chat_id=1001, raw={}, received_at=NOON)
