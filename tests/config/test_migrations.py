"""The migrations say what the models say."""

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_they_are_in_step_with_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        call_command("makemigrations", check=True, dry_run=True)
    except SystemExit:
        pytest.fail(f"a model has changed without its migration:\n{capsys.readouterr().out}")
    assert "No changes detected" in capsys.readouterr().out
