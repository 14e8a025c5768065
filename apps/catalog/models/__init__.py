"""Products with what the marketplace says of them, their costs and settings, price history and stock."""

from apps.catalog.models.articles import Article
from apps.catalog.models.costs import Cost, CostQuerySet
from apps.catalog.models.fields import money_field, rate_field
from apps.catalog.models.prices import PriceChange
from apps.catalog.models.product_settings import ProductSettings
from apps.catalog.models.products import Brand, Category, Product
from apps.catalog.models.promotions import Participation, Promotion
from apps.catalog.models.sheets import CostImport, SettingsImport, SheetImport
from apps.catalog.models.stock import Cluster, ClusterStock, StockSnapshot, Warehouse

__all__ = [
    "Article",
    "Brand",
    "Category",
    "Cluster",
    "ClusterStock",
    "Cost",
    "CostImport",
    "CostQuerySet",
    "Participation",
    "PriceChange",
    "Product",
    "ProductSettings",
    "Promotion",
    "SettingsImport",
    "SheetImport",
    "StockSnapshot",
    "Warehouse",
    "money_field",
    "rate_field",
]
