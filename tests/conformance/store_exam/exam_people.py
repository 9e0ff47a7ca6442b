"""The exam's part on people: users, roles, tokens, sessions, the audit log."""

from __future__ import annotations

from datetime import timedelta

from tradewind.kernel.clock import VirtualClock
from tradewind.ports.people_rows import ApiTokenRow, AuditRow, RoleRow, SessionRow
from tradewind.ports.rows import UserRow
from tradewind.ports.store import Store

from .seeds import put_dag, undone

HOUR = timedelta(hours=1)


def user(name: str, **facts: object) -> UserRow:
    return UserRow(username=name, password_hash="hash", roles=("Viewer", "Finance"), **facts)  # type: ignore[arg-type]


class PeopleExam:
    """What a store promises of people and their doings."""

    def test_users_come_back_as_they_were_and_go_with_what_is_theirs(self, store: Store, clock: VirtualClock) -> None:
        now = clock.now()
        ann = user("ann", created_at=now, email="ann@example.org", origin="oidc", epoch=3, last_login_at=now)
        token = ApiTokenRow(token_id="t1", name="ci", username="ann", secret_hash="h", created_at=now)
        session = _session("s1", "ann", clock)
        with store.begin() as tx:
            tx.user_put(ann)
            tx.user_put(user("bob"))
            tx.api_token_put(token)
            tx.session_put(session)
        with store.read() as tx:
            assert tx.user_get("ann") == ann
            assert [row.username for row in tx.user_list()] == ["ann", "bob"]
        with store.begin() as tx:
            assert tx.user_delete("ann")
            assert not tx.user_delete("ann")
        with store.read() as tx:
            assert tx.api_token_list() == []
            assert tx.session_list("ann") == []

    def test_roles(self, store: Store, clock: VirtualClock) -> None:
        row = RoleRow(name="Finance", description="money", grants=("read:dag@tag:finance",), created_at=clock.now())
        with store.begin() as tx:
            tx.role_put(RoleRow(name="Finance"))
            tx.role_put(row)
            tx.role_put(RoleRow(name="Audit"))
        with store.read() as tx:
            assert tx.role_get("Finance") == row
            assert tx.role_get("None") is None
            assert [each.name for each in tx.role_list()] == ["Audit", "Finance"]
        with store.begin() as tx:
            assert tx.role_delete("Finance")
            assert not tx.role_delete("Finance")

    def test_tokens_newest_first(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            for number, name in enumerate(("ann", "bob", "ann")):
                tx.api_token_put(
                    ApiTokenRow(
                        token_id=str(number),
                        name="n",
                        username=name,
                        secret_hash="h",
                        scopes=("read:*",),
                        created_at=clock.now() + number * HOUR,
                    )
                )
        with store.read() as tx:
            assert [row.token_id for row in tx.api_token_list()] == ["2", "1", "0"]
            assert [row.token_id for row in tx.api_token_list("ann")] == ["2", "0"]
            found = tx.api_token_get("1")
            assert found is not None
            assert (found.username, found.scopes, found.expires_at) == ("bob", ("read:*",), None)

    def test_sessions_end_one_by_one_all_of_a_user_and_by_time(self, store: Store, clock: VirtualClock) -> None:
        with store.begin() as tx:
            for number in range(3):
                tx.session_put(_session(f"a{number}", "ann", clock, lasts=(number + 1) * HOUR))
            tx.session_put(_session("b", "bob", clock, lasts=9 * HOUR))
        with store.begin() as tx:
            assert tx.session_prune(clock.now() + 1.5 * HOUR, 10) == 1
            assert tx.session_get("a0") is None
            assert tx.session_delete("a1")
            assert not tx.session_delete("a1")
            assert tx.session_delete_of("ann") == 1
            assert [row.session_id for row in tx.session_list("bob")] == ["b"]

    def test_the_audit_log_is_in_order_and_filtered(self, store: Store, clock: VirtualClock) -> None:
        def line(event: str, hours: int, **facts: object) -> AuditRow:
            facts = {"actor": "ann", "means": "cli", **facts}
            return AuditRow(at=clock.now() + hours * HOUR, event=event, **facts)  # type: ignore[arg-type]

        with store.begin() as tx:
            tx.audit_put([line("a", 0, dag_id="sales"), line("b", 1, actor="bob", before={"x": 1}, after={"x": [2]})])
            tx.audit_put([line("a", 2, thing="pool p", details={"k": "v"}, try_number=2)])
        with undone(store) as tx:
            tx.audit_put([line("never", 3)])
        with store.read() as tx:
            found = tx.audit_list()
            assert [row.event for row in found] == ["a", "b", "a"]
            assert found[0].event_id > found[1].event_id > found[2].event_id > 0
            assert found[1].before == {"x": 1}
            assert found[1].after == {"x": [2]}
            assert (found[0].thing, found[0].details, found[0].try_number) == ("pool p", {"k": "v"}, 2)
            assert [row.event for row in tx.audit_list(actor="bob")] == ["b"]
            assert len(tx.audit_list(event="a")) == 2
            assert len(tx.audit_list(dag_id="sales")) == 1
            assert [row.event for row in tx.audit_list(since=clock.now() + HOUR, until=clock.now() + 2 * HOUR)] == ["b"]
            assert tx.audit_list(before_id=found[0].event_id, limit=1) == [found[1]]
        with store.begin() as tx:
            assert tx.audit_prune(clock.now() + HOUR, 10) == 1
            assert len(tx.audit_list()) == 2

    def test_what_grants_look_at(self, store: Store) -> None:
        with store.begin() as tx:
            put_dag(tx, "sales", tags=("finance", "daily"), access=("Finance=read:dag",))
            put_dag(tx, "plants")
        with store.read() as tx:
            assert sorted(tx.dag_scopes()) == [
                ("plants", (), "local", ()),
                ("sales", ("finance", "daily"), "local", ("Finance=read:dag",)),
            ]


def _session(id: str, username: str, clock: VirtualClock, lasts: timedelta = HOUR) -> SessionRow:
    now = clock.now()
    return SessionRow(
        session_id=id,
        username=username,
        mark="m",
        means="password",
        created_at=now,
        seen_at=now,
        expires_at=now + lasts,
        address="::1",
    )
