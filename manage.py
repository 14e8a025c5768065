#!/usr/bin/env python
"""Commands. Settings that are missing or wrong are named in a sentence, and nothing starts.

The demo writes its own settings first, and never uses those of a real shop.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.env import EnvError, forget_process_variables, load

    if sys.argv[1:2] == ["demo"]:
        from config.new_env import demo_env

        forget_process_variables()
        os.environ["VITRINA_ENV"] = str(demo_env())
    try:
        load()
    except EnvError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
