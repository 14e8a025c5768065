"""Orders of every channel, their lines, and the daily facts that follow from them."""

from apps.sales.models.accruals import Accrual, AccrualType
from apps.sales.models.buyers import Buyer
from apps.sales.models.checks import DayCheck, MissingOrder
from apps.sales.models.facts import DailyFact, SalesHistory, TouchedDay
from apps.sales.models.orders import Expense, ExpenseType, Order, OrderLine
from apps.sales.models.returns import Return
from apps.sales.models.sources import Manager, ManagerPeriod, SalesType, Source

__all__ = [
    "Accrual",
    "AccrualType",
    "Buyer",
    "DailyFact",
    "DayCheck",
    "Expense",
    "ExpenseType",
    "Manager",
    "ManagerPeriod",
    "MissingOrder",
    "Order",
    "OrderLine",
    "Return",
    "SalesHistory",
    "SalesType",
    "Source",
    "TouchedDay",
]
