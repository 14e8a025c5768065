"""Which products of a seller's shops are the same thing: suggested by their offer ids, said by a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower, Trim

from apps.catalog.models import Article, Product
from apps.common.bulk import upsert
from apps.common.clock import real_now
from apps.common.db import take_lock
from apps.shops.audit import Deed, record_each
from apps.shops.models import Person, Seller, Shop


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
        codes: dict[Product, str] = {}
        for product in chosen:
            twins = same[_key(product)]
            code, outcome = _code_of(twins)
            counts[outcome] += 1
            codes |= dict.fromkeys(twins, code) if code else {}
        _enter(seller, codes, by=by)
    return Linked(**counts)


def set_article(*, product: Product, code: str, by: Person | None) -> None:
    """Say which article the product is; with an empty code, that it is none that others are too."""
    _enter(product.shop.seller, {product: code.strip()}, by=by)


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


def _code_of(same: Sequence[Product]) -> tuple[str, str]:
    """The code for products of one offer id, empty when it is not certain, and what came of it: a field of `Linked`."""
    shops = {product.shop_id for product in same}
    if len(shops) < 2:
        return "", "alone"
    codes = {code for code in map(_code, same) if code}
    if len(shops) < len(same) or len(codes) > 1:
        return "", "unclear"
    return (codes.pop() if codes else same[0].offer_id.strip()), "linked"


@transaction.atomic
def _enter(seller: Seller, codes: Mapping[Product, str], *, by: Person | None) -> None:
    """Write what differs, each product with its row in the audit trail."""
    take_lock("article", seller.pk)
    known = dict(Article.objects.filter(product__in=codes).values_list("pk", "code"))
    changed = {product: code for product, code in codes.items() if code != known.get(product.pk, "")}
    author, at = by.pk if by else None, real_now()
    rows = ((product.pk, code, author, at) for product, code in changed.items() if code)
    upsert(Article, rows, key=("product_id",), columns=("code", "linked_by_id", "linked_at"))
    Article.objects.filter(product__in=[product for product, code in changed.items() if not code]).delete()
    deeds: dict[Shop, list[Deed]] = defaultdict(list)
    for product, code in changed.items():
        deeds[product.shop].append(Deed(product, {"code": [known.get(product.pk, ""), code]}))
    for shop, done in deeds.items():
        record_each("article.set", done, actor=by, shop=shop)


def _code(product: Product) -> str:
    article: Article | None = getattr(product, "article", None)
    return article.code if article else ""


def _key(product: Product) -> str:
    return product.offer_id.strip().lower()
