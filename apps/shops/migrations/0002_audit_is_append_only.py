from django.db import migrations

FORWARD = """
create function logs_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is append-only: % refused', tg_op;
end
$$;
create trigger logs_no_change before update or delete on logs
    for each row execute function logs_are_append_only();
create trigger logs_no_truncate before truncate on logs
    for each statement execute function logs_are_append_only();
"""

BACKWARD = """
drop trigger logs_no_truncate on logs;
drop trigger logs_no_change on logs;
drop function logs_are_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("shops", "0001_sellers_and_people")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
