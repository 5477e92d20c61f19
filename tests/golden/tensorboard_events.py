"""Golden TensorBoard event file, written by TensorBoard's own writer.

Versions: tensorboard 2.21.0, protobuf 7.36.2, numpy 2.4.6. Seed: none, nothing is random; the clock is fixed.
Command: python tests/golden/tensorboard_events.py (in a venv of its own: pip install tensorboard==2.21.0)
Writes tests/golden/tensorboard_events.tfevents.
"""

import pathlib
import shutil
import tempfile
from unittest import mock

import tensorboard.version
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

OUT = pathlib.Path(__file__).with_suffix(".tfevents")
START = 1_750_000_000


def scalars(offset, step, **values):
    summary = summary_pb2.Summary(
        value=[summary_pb2.Summary.Value(tag=tag.replace("__", "/"), simple_value=value) for tag, value in values.items()]
    )
    return event_pb2.Event(wall_time=START + offset, step=step, summary=summary)


def events():
    yield event_pb2.Event(wall_time=START + 0.5, summary=text_pb("config", '    seed = 7\n    name = "démo"\n'))
    yield scalars(1.5, 1, reward__mean=0.5, loss=-0.125)
    yield scalars(2.5, 2, reward__mean=1 / 3, loss=0.0)
    yield scalars(3.5, 70_000, ratio__max=float("inf"))
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    yield event_pb2.Event(wall_time=START + 4.5, step=2, session_log=start)


def main():
    assert tensorboard.version.VERSION == "2.21.0", tensorboard.version.VERSION
    with tempfile.TemporaryDirectory() as folder, mock.patch("time.time", return_value=START + 0.25):
        writer = EventFileWriter(folder)
        for event in events():
            writer.add_event(event)
        writer.close()
        (written,) = pathlib.Path(folder).iterdir()
        shutil.copy(written, OUT)
    print(f"{OUT}: {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
