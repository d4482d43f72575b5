"""The migrations build the very schema that the domain declares, and can be undone."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session, col, select

from orchestrator.domain.annotations import Span
from orchestrator.domain.datasets import Clip
from orchestrator.services.db import alembic_config, make_engine, run_migrations
from orchestrator.services.vault import WEBHOOKS, unseal
from orchestrator.settings import get_settings


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def test_schema_is_what_the_domain_declares(url: str) -> None:
    run_migrations(url)
    command.check(alembic_config(url))


def test_down_and_up_again(url: str) -> None:
    run_migrations(url)
    command.downgrade(alembic_config(url), "base")
    assert inspect(make_engine(url)).get_table_names() == ["alembic_version"]
    run_migrations(url)


def test_sqlite_keeps_foreign_keys_and_wal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    run_migrations(url)
    with make_engine(url).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


OLD_FAILURES = {
    "Gone. That was attempt 3 of 3, so the job was not started again.": "machine_lost",
    "The memory ran out before the training began. Use a smaller base.": "out_of_memory_at_start",
    "The memory ran out even with 1 clip at a time, 8 times a step. Use fewer frames.": "nothing_left_to_divide",
    "The memory ran out with 8 clips at a time, 1 times a step. This model learns by": "out_of_memory",
    "The memory of one of the 2 GPUs ran out. Resume the job: it goes on.": "out_of_memory",
    "The training ran out of memory. Use a smaller batch size.": "out_of_memory",
    "The machine ran out of memory and ended the training. Use a smaller batch.": "out_of_memory",
    "The disk is full. Free some space, then resume the job.": "disk_full",
    "The loss was no longer a number at step 6. The learning rate 1 is": "diverged",
    "The dataset of this job was deleted before it started.": "inputs_gone",
    "The training broke off: AcceleratorError: CUDA error: an illegal memory access was encountered": "crash",
    "The training process crashed with signal 11 (SIGSEGV).": "crash",
    "cat.mp4 stops decoding at frame 3 of 16. Cut it there or upload it again.": "unreadable_clip",
    "gpt2 is no model that looks at videos.": "not_trainable",
}
"""Sentences as version 0.1 stored them, and the word that each becomes."""


def test_stored_failures_become_words(url: str) -> None:
    config, engine = alembic_config(url), make_engine(url)
    command.upgrade(config, "0010_credentials")
    with engine.begin() as connection:
        connection.execute(text(_USER))
        for error in OLD_FAILURES:
            connection.execute(text(_JOB), {"key": error[:80], "error": error, "status": "failed"})
        connection.execute(text(_JOB), {"key": "done", "error": "", "status": "completed"})
    command.upgrade(config, "head")
    assert _rows(engine, "SELECT error, failure FROM training_jobs") == OLD_FAILURES | {"": None}
    command.downgrade(config, "0010_credentials")
    assert set(_rows(engine, "SELECT error, status FROM training_jobs")) == {*OLD_FAILURES, ""}


OLD_PROBLEMS = {
    ("bad", "Is the same video as slow/slow-0.mp4.", "aa"): "duplicate",
    ("bad", "1.mp4 is named in t.csv but was not uploaded.", ""): "not_uploaded",
    ("bad", "notes.doc is not a video.", ""): "not_a_video",
    ("bad", "cut.mp4 is not a video we can read, or it is cut off.", "bb"): "damaged",
    ("quarantined", "2.mp4 has no caption yet.", "cc"): "not_annotated",
    ("quarantined", "", "dd"): None,
    ("ok", "", "ee"): None,
}


def test_stored_problems_of_clips_become_words(url: str) -> None:
    config, engine = alembic_config(url), make_engine(url)
    command.upgrade(config, "0011_failures")
    with engine.begin() as connection:
        connection.execute(text(_USER))
        connection.execute(text(_DATASET))
        for status, problem, content in OLD_PROBLEMS:
            connection.execute(text(_CLIP), {"status": status, "problem": problem, "content": content})
    command.upgrade(config, "head")
    expected = {content + problem: kind for (_, problem, content), kind in OLD_PROBLEMS.items()}
    assert _rows(engine, "SELECT content_hash || problem, problem_kind FROM clips") == expected
    command.downgrade(config, "0011_failures")
    assert len(_rows(engine, "SELECT content_hash || problem, status FROM clips")) == len(OLD_PROBLEMS)


OLD_TEXTS = {
    ("A dog.", ""): ("A dog.", ""),
    ("A cat.\n\n It sits.\nIt \u201esees\u201c \\n.", ""): (
        "A cat.",
        '{"labels":["run"],"captions":["A cat.","It sits.","It \u201esees\u201c \\\\n."]}',
    ),
    ("First line.\nSecond line.", "What?"): ("First line.\nSecond line.", ""),
}
DOWN_AGAIN = {"A cat.\nIt sits.\nIt \u201esees\u201c \\n.", "First line.\nSecond line."}


def test_captions_of_several_lines_become_lists_and_come_back(url: str) -> None:
    config, engine = alembic_config(url), make_engine(url)
    command.upgrade(config, "0017_attempts")
    with engine.begin() as connection:
        connection.execute(text(_USER))
        connection.execute(text(_DATASET))
        for number, (caption, prompt) in enumerate(OLD_TEXTS):
            connection.execute(text(_CLIP), {"status": "ok", "problem": "", "content": f"{number}"})
            values = {"caption": caption, "prompt": prompt, "content": f"{number}"}
            update = "UPDATE clips SET label = 'run', caption = :caption, prompt = :prompt, duration_s = 2"
            connection.execute(text(f"{update} WHERE content_hash = :content"), values)
    command.upgrade(config, "head")
    assert set(_rows(engine, "SELECT caption, annotations FROM clips").items()) == set(OLD_TEXTS.values())
    with Session(engine) as session:
        clips = session.exec(select(Clip).order_by(col(Clip.content_hash))).all()
        assert [clip.annotated.texts for clip in clips] == [
            ("A dog.",),
            ("A cat.", "It sits.", "It \u201esees\u201c \\n."),
            ("First line.\nSecond line.",),
        ]
        assert [(clip.span, clip.film_s, len(clip.annotated.conversations)) for clip in clips] == [
            *((None, 2.0, 0), (None, 2.0, 0), (None, 2.0, 1))
        ]
        clips[0].cut(Span(0.5, 1))  # the columns before cannot say that
        session.add(clips[0])
        session.commit()
    command.downgrade(config, "0017_attempts")
    assert set(_rows(engine, "SELECT caption, prompt FROM clips")) == DOWN_AGAIN


def test_webhook_secrets_are_sealed_where_they_stand(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOREEL_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    config, engine = alembic_config(url), make_engine(url)
    command.upgrade(config, "0013_request_hashes")
    with engine.begin() as connection:
        for number, secret in (("1", "whs_abcdefgh"), ("2", "")):
            connection.execute(text(_USER.replace("(1", f"({number}").replace("'ada", f"'ada{number}")))
            connection.execute(text(_WISH), {"user": int(number), "secret": secret})
    command.upgrade(config, "head")
    sealed = _rows(engine, "SELECT users.email, webhook_secret FROM notice_wishes, users WHERE id = user_id")
    assert sealed["ada2@example.org"] == ""
    assert "whs_" not in str(sealed["ada1@example.org"])
    assert unseal(str(sealed["ada1@example.org"]), WEBHOOKS) == {"secret": "whs_abcdefgh"}
    command.downgrade(config, "0013_request_hashes")
    stored = "SELECT users.email, webhook_secret FROM notice_wishes, users WHERE id = user_id"
    assert _rows(engine, stored) == {"ada1@example.org": "whs_abcdefgh", "ada2@example.org": ""}
    get_settings.cache_clear()


def test_the_draft_of_each_user_stays(url: str) -> None:
    config, engine = alembic_config(url), make_engine(url)
    command.upgrade(config, "0014_sealed_webhooks")
    with engine.begin() as connection:
        connection.execute(text(_USER))
        connection.execute(text(_DRAFT), {"values": '{"step": 3}'})
    command.upgrade(config, "head")
    query = (
        'SELECT launch_key, CAST(id AS TEXT) || tab || CAST(edit AS TEXT) || CAST("values" AS TEXT) FROM wizard_drafts'
    )
    assert _rows(engine, query) == {"key": '10{"step": 3}'}
    with engine.begin() as connection:
        newer = _DRAFT.replace("'key'", "'newer'").replace("2026-01", "2026-02")
        connection.execute(text(newer), {"values": "{}"})
    command.downgrade(config, "0014_sealed_webhooks")
    assert _rows(engine, 'SELECT launch_key, CAST("values" AS TEXT) FROM wizard_drafts') == {"newer": "{}"}


def _rows(engine: Engine, query: str) -> dict[str, str | None]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text(query))}


_USER = """
INSERT INTO users (id, username, username_key, email, email_key, password_hash, role, created_at)
VALUES (1, 'ada', 'ada', 'ada@example.org', 'ada@example.org', '-', 'member', '2026-01-01 00:00:00')
"""
_WISH = """
INSERT INTO notice_wishes (user_id, webhook_url, webhook_secret, email, kinds)
VALUES (:user, 'https://example.org/hook', :secret, false, 'completed')
"""
_DRAFT = """
INSERT INTO wizard_drafts (user_id, "values", launch_key, updated_at)
VALUES (1, :values, 'key', '2026-01-01 00:00:00')
"""
_JOB = """
INSERT INTO training_jobs (owner_id, name, dataset_name, dataset_version, model_name, model_revision, recipe,
    idempotency_key, status, attempt, worker, priority, needs, box, step, total_steps, epoch, summary, error,
    error_details, created_at)
VALUES (1, 'run', 'd', 1, 'm', '', '{}', :key, :status, 1, '', 1, 'any', '', 0, 0, 0, '{}', :error, '',
    '2026-01-01 00:00:00')
"""
_DATASET = """
INSERT INTO datasets (id, owner_id, name, description, task, source, status, stage, error, progress_done,
    progress_total, size_bytes, clip_count, bad_count, class_names, layout, version, is_demo, created_at, updated_at)
VALUES (1, 1, 'd', '', 'classification', '{}', 'ready', '', '', 0, 0, 0, 0, 0, '[]', '{}', 1, false,
    '2026-01-01 00:00:00', '2026-01-01 00:00:00')
"""
_CLIP = """
INSERT INTO clips (dataset_id, name, path, thumbnail_path, content_hash, label, caption, split, status, problem,
    size_bytes, frames, fps, width, height, duration_s, codec)
VALUES (1, 'c', '', '', :content, '', '', 'auto', :status, :problem, 0, 0, 0, 0, 0, 0, '')
"""
