"""Files over SSH and FTP, mail over SMTP, and Redis, through their providers, against servers of this machine."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from airflow.sdk import DAG

from .conftest import ran

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(120)]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def ssh_server(tmp_path, monkeypatch):
    """An SSH server with SFTP below `tmp_path/remote`; commands are answered with their own text."""
    asyncssh = pytest.importorskip("asyncssh")
    import asyncio

    remote = tmp_path / "remote"
    remote.mkdir()
    ready, port, loop = threading.Event(), free_port(), asyncio.new_event_loop()

    class Open(asyncssh.SSHServer):  # type: ignore[misc,name-defined,unused-ignore]
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("me", "geheim")

    async def answer(process: Any) -> None:
        process.stdout.write(f"did {process.command}")
        process.exit(0)

    async def serve() -> None:
        await asyncssh.listen(
            "127.0.0.1",
            port,
            server_factory=Open,
            server_host_keys=[asyncssh.generate_private_key("ssh-rsa")],
            process_factory=answer,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(remote)),
            allow_scp=True,
        )
        ready.set()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(serve()), loop.run_forever()), daemon=True)
    thread.start()
    assert ready.wait(20)
    extra = {"no_host_key_check": "true", "allow_host_key_change": "true"}
    for name, kind in (("SFTP", "sftp"), ("SSH", "ssh")):
        monkeypatch.setenv(
            f"AIRFLOW_CONN_{name}",
            json.dumps(
                {
                    "conn_type": kind,
                    "host": "127.0.0.1",
                    "port": port,
                    "login": "me",
                    "password": "geheim",
                    "extra": extra,
                }
            ),
        )
    yield remote
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_files_over_sftp_and_commands_over_ssh(ssh_server: Path, tmp_path):
    pytest.importorskip("airflow.providers.sftp.operators.sftp")
    from airflow.providers.sftp.operators.sftp import SFTPOperator
    from airflow.providers.sftp.sensors.sftp import SFTPSensor
    from airflow.providers.ssh.operators.ssh import SSHOperator

    local = tmp_path / "a.txt"
    local.write_text("content")
    with DAG("files") as dag:
        put = SFTPOperator(
            task_id="put", ssh_conn_id="SFTP", local_filepath=str(local), remote_filepath="/a.txt", operation="put"
        )
        wait = SFTPSensor(task_id="wait", sftp_conn_id="SFTP", path="/a.txt", poke_interval=0.1, timeout=10)
        say = SSHOperator(task_id="say", ssh_conn_id="SSH", command="echo {{ 1 + 1 }}")
        put >> wait >> say
    run = dag.test()
    assert {one.task_id: str(one.state) for one in run.get_task_instances()} == {
        "put": "success",
        "wait": "success",
        "say": "success",
    }
    assert (ssh_server / "a.txt").read_text() == "content"


def test_files_over_ftp(tmp_path, monkeypatch):
    pytest.importorskip("airflow.providers.ftp.operators.ftp")
    authorizers = pytest.importorskip("pyftpdlib.authorizers")
    from airflow.providers.ftp.operators.ftp import FTPFileTransmitOperator
    from airflow.providers.ftp.sensors.ftp import FTPSensor
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import ThreadedFTPServer

    remote, local = tmp_path / "remote", tmp_path / "a.txt"
    remote.mkdir()
    local.write_text("content")
    users = authorizers.DummyAuthorizer()
    users.add_user("me", "geheim", str(remote), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": users})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv(
        "AIRFLOW_CONN_FTP_DEFAULT",
        json.dumps(
            {
                "conn_type": "ftp",
                "host": "127.0.0.1",
                "port": server.address[1],
                "login": "me",
                "password": "geheim",
                "extra": {"passive": True},
            }
        ),
    )
    with DAG("ftp") as dag:
        put = FTPFileTransmitOperator(
            task_id="put", local_filepath=str(local), remote_filepath="/b.txt", operation="put"
        )
        put >> FTPSensor(task_id="wait", path="/b.txt", poke_interval=0.1, timeout=10)
    try:
        assert ran(dag) == {"put": "success", "wait": "success"}
        assert (remote / "b.txt").read_text() == "content"
    finally:
        server.close_all()


def test_mail_by_the_operators_of_all_eras(monkeypatch):
    controller = pytest.importorskip("aiosmtpd.controller")
    pytest.importorskip("airflow.providers.smtp.operators.smtp")
    from airflow.operators.email_operator import EmailOperator as Old
    from airflow.providers.smtp.operators.smtp import EmailOperator

    class Post:
        def __init__(self) -> None:
            self.letters: list[Any] = []

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            self.letters.append(envelope)
            return "250 OK"

    post = Post()
    server = controller.Controller(post, hostname="127.0.0.1", port=free_port())
    server.start()
    monkeypatch.setenv(
        "AIRFLOW_CONN_SMTP_DEFAULT",
        json.dumps(
            {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": server.port,
                "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "me@example.com"},
            }
        ),
    )
    with DAG("mail") as dag:
        new = EmailOperator(task_id="new", to="you@example.com", subject="new {{ 1 + 1 }}", html_content="hello")
        new >> Old(task_id="old", to="you@example.com", subject="old", html_content="hello")
    try:
        assert ran(dag) == {"new": "success", "old": "success"}
    finally:
        server.stop()
    assert len(post.letters) == 2
    assert b"new 2" in post.letters[0].content


def test_keys_and_messages_of_redis(monkeypatch):
    fakeredis = pytest.importorskip("fakeredis")
    pytest.importorskip("airflow.providers.redis.operators.redis_publish")
    from airflow.providers.redis.hooks.redis import RedisHook
    from airflow.providers.redis.operators.redis_publish import RedisPublishOperator
    from airflow.providers.redis.sensors.redis_key import RedisKeySensor

    server = fakeredis.TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    port = server.server_address[1]
    monkeypatch.setenv(
        "AIRFLOW_CONN_REDIS_DEFAULT", json.dumps({"conn_type": "redis", "host": "127.0.0.1", "port": port})
    )
    RedisHook("redis_default").get_conn().set("key", "there")
    with DAG("redis") as dag:
        wait = RedisKeySensor(task_id="wait", key="key", redis_conn_id="redis_default", poke_interval=0.1, timeout=10)
        wait >> RedisPublishOperator(task_id="tell", channel="c", message="m", redis_conn_id="redis_default")
    try:
        assert ran(dag) == {"wait": "success", "tell": "success"}
    finally:
        server.shutdown()
        server.server_close()
