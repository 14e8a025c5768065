"""Which products of a seller's shops are the same thing: suggested by their offer ids, said by a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower, Trim

from apps.catalog.models import Article, Product
from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.shops.audit import record
from apps.shops.models import Person, Seller


@dataclass(frozen=True)
class Linked:
    """What became of products that were to be linked: how many stand beside others now, how many have no counterpart
    in another shop, and how many have more than one, so that a person has to say which."""

    linked: int
    alone: int
    unclear: int


def link_by_offer_id(products: Sequence[Product], *, by: Person | None) -> Linked:
    """Give products and those of the same offer id in the seller's other shops one code. What was said before stays."""
    counts = {"linked": 0, "alone": 0, "unclear": 0}
    sellers: dict[Seller, list[Product]] = defaultdict(list)
    for product in products:
        sellers[product.shop.seller].append(product)
    for seller, chosen in sellers.items():
        same = _of_same_offer_ids(seller, chosen)
        for product in chosen:
            counts[_link(same[_key(product)], by=by)] += 1
    return Linked(**counts)


@transaction.atomic
def set_article(*, product: Product, code: str, by: Person | None) -> None:
    """Say which article the product is; with an empty code, that it is none that others are too."""
    take_lock("article", product.shop.seller_id)
    before = Article.objects.filter(product=product).values_list("code", flat=True).first() or ""
    code = code.strip()
    if code == before:
        return
    if code:
        said = {"code": code, "linked_by": by, "linked_at": real_now()}
        Article.objects.update_or_create(product=product, defaults=said)
    else:
        Article.objects.filter(product=product).delete()
    record("article.set", actor=by, shop=product.shop, subject=product, code=[before, code])


def same_articles(products: Iterable[Product]) -> dict[int, list[Product]]:
    """By the id of each product that is an article: all products of its seller that are, itself included, shop by
    shop."""
    articles = Article.objects.filter(product__in=[product.pk for product in products])
    codes = {pk: (seller, code) for pk, seller, code in articles.values_list("pk", "product__shop__seller", "code")}
    found = Product.objects.filter(
        shop__seller__in={seller for seller, _ in codes.values()},
        article__code__in={code for _, code in codes.values()},
    )
    members: dict[tuple[int, str], list[Product]] = defaultdict(list)
    for product in found.select_related("shop", "article").order_by("shop_id", "pk"):
        members[product.shop.seller_id, product.article.code].append(product)
    return {pk: members[key] for pk, key in codes.items()}


def suggested(products: QuerySet[Product]) -> QuerySet[Product]:
    """Those that are no article yet and share their offer id with a product of another shop of the seller."""
    elsewhere = Product.objects.annotate(key=Lower(Trim("offer_id"))).filter(
        shop__seller=OuterRef("shop__seller"), key=OuterRef("key"), is_archived=False
    )
    keyed = products.annotate(key=Lower(Trim("offer_id"))).filter(article=None, is_archived=False)
    return keyed.filter(Exists(elsewhere.exclude(shop=OuterRef("shop"))))


def _of_same_offer_ids(seller: Seller, products: Iterable[Product]) -> dict[str, list[Product]]:
    """The seller's products by offer id, without regard to case; what is archived is nobody's counterpart."""
    wanted = Product.objects.filter(shop__seller=seller, is_archived=False).annotate(key=Lower(Trim("offer_id")))
    found: dict[str, list[Product]] = defaultdict(list)
    for product in wanted.filter(key__in={_key(one) for one in products}).select_related("shop", "article"):
        found[_key(product)].append(product)
    return found


def _link(same: Sequence[Product], *, by: Person | None) -> str:
    """Returns what came of it, as a field of `Linked`."""
    shops = {product.shop_id for product in same}
    if len(shops) < 2:
        return "alone"
    codes = {code for code in map(_code, same) if code}
    if len(shops) < len(same) or len(codes) > 1:
        return "unclear"
    code = codes.pop() if codes else same[0].offer_id
    for product in same:
        set_article(product=product, code=code, by=by)
    return "linked"


def _code(product: Product) -> str:
    article: Article | None = getattr(product, "article", None)
    return article.code if article else ""


def _key(product: Product) -> str:
    return product.offer_id.strip().lower()
