from tests.decisions.markets import market

__all__ = ["market"]
