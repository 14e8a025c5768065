"""OZON's category tree as flat rows: categories with their parents, and the product types that are its leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from apps.marketplaces.fields import ApiRow, Id, Name
from apps.marketplaces.paging import BadRow, reason_of

PATH = "/v1/description-category/tree"


@dataclass(frozen=True)
class Category:
    """`parent_id` is None at the top."""

    category_id: int
    name: str
    parent_id: int | None
    disabled: bool


@dataclass(frozen=True)
class ProductType:
    """The kind of product within a category; `category_id` is None when that node could not be read."""

    type_id: int
    name: str
    category_id: int | None
    disabled: bool


@dataclass(frozen=True)
class CategoryTree:
    categories: tuple[Category, ...]
    types: tuple[ProductType, ...]
    bad_rows: tuple[BadRow, ...]


class _CategoryNode(ApiRow):
    description_category_id: Id
    category_name: Name
    disabled: bool = False


class _TypeNode(ApiRow):
    type_id: Id
    type_name: Name
    disabled: bool = False


def flatten(raw_nodes: Sequence[Any]) -> CategoryTree:
    """Parents before their children. What hangs below a bad node goes to the node's own parent."""
    categories: list[Category] = []
    types: list[ProductType] = []
    bad_rows: list[BadRow] = []

    def add(raw: Any, parent_id: int | None) -> None:
        try:
            node = _node(raw, parent_id)
        except ValidationError as error:
            bad_rows.append(BadRow(len(categories) + len(types) + len(bad_rows), None, reason_of(error)))
        else:
            if isinstance(node, Category):
                categories.append(node)
                parent_id = node.category_id
            else:
                types.append(node)
        for child in (raw.get("children") or ()) if isinstance(raw, dict) else ():
            add(child, parent_id)

    for raw in raw_nodes:
        add(raw, None)
    return CategoryTree(tuple(categories), tuple(types), tuple(bad_rows))


def _node(raw: Any, parent_id: int | None) -> Category | ProductType:
    if isinstance(raw, dict) and raw.get("type_id"):
        leaf = _TypeNode.model_validate(raw)
        return ProductType(leaf.type_id, leaf.type_name, parent_id, leaf.disabled)
    node = _CategoryNode.model_validate(raw)
    return Category(node.description_category_id, node.category_name, parent_id, node.disabled)
