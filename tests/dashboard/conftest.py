from tests.backoffice.conftest import _quiet, _sellers, anna, boris

__all__ = ["_quiet", "_sellers", "anna", "boris"]
