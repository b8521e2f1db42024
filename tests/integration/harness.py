"""harness.py: real coordinators and agents for tests, and a tool that speaks the public protocol.

Everything listens on loopback or a socket in a folder of its own, waits for events rather than for time,
has a deadline, and is stopped by the object that started it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid

import zmq

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("ESPALIER_BUILD", os.path.join(TREE, "build/debug"))
MACHINES = os.path.join(TREE, "tests/data/machines")
FLEET = os.path.join(TREE, "deploy/examples/fleet")
PATIENCE = 60.0  # seconds that any wait may take: an idle machine needs one


def program(name):
    for folder in ("coordinator", "coordinator/cli", "agent"):
        path = os.path.join(BUILD, folder, name)
        if os.path.isfile(path):
            return path
    raise FileNotFoundError(f"{name} in {BUILD}: build it first, or set ESPALIER_BUILD")


def generated():
    """The Python modules of proto/, generated once into a folder of this process."""
    folder = tempfile.mkdtemp(prefix="espalier-proto-")
    protos = [os.path.join("espalier/v1", n) for n in sorted(os.listdir(os.path.join(TREE, "proto/espalier/v1")))]
    subprocess.run(["protoc", "-I", os.path.join(TREE, "proto"), f"--python_out={folder}", *protos], check=True,
                   timeout=60)
    sys.path.insert(0, folder)
    from espalier.v1 import agent_pb2, device_pb2, enums_pb2, event_pb2, job_pb2, plan_pb2, tool_pb2
    shutil.rmtree(folder)
    return agent_pb2, device_pb2, enums_pb2, event_pb2, job_pb2, plan_pb2, tool_pb2


agent_pb2, device_pb2, enums_pb2, event_pb2, job_pb2, plan_pb2, tool_pb2 = generated()


def wait_until(what, condition, patience=PATIENCE):
    """The first true value of condition(); fails, naming what, after patience seconds."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s for {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*args, check=True, timeout=PATIENCE, **more):
    done = subprocess.run(args, capture_output=True, text=True, timeout=timeout, check=False, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Process:
    """A program with its log in a file; stopped by TERM, then KILL."""

    def __init__(self, args, log, env=None):
        self.args, self.log_path = args, log
        self.log = open(log, "ab")
        self.child = subprocess.Popen(args, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})

    def is_running(self):
        return self.child.poll() is None

    def kill(self):
        """As when the power goes: no goodbye."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(PATIENCE)
        self.log.close()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(PATIENCE)
        self.log.close()
        return self.child.returncode

    def logged(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Coordinator:
    def __init__(self, folder, *options, env=None):
        self.folder = folder
        self.options, self.env = options, env
        self.socket = os.path.join(folder, "run", "s")
        self.ports = [free_port() for _ in range(3)]
        self.process = None

    def start(self, wait=True):
        agents, tools, events = self.ports
        self.process = Process(
            [program("espalier-coordinator"), "--data-dir", self.folder, "--ipc-path", self.socket,
             "--agents-endpoint", f"tcp://127.0.0.1:{agents}", "--tools-endpoint", f"tcp://127.0.0.1:{tools}",
             "--events-endpoint", f"tcp://127.0.0.1:{events}", "--state-interval", "500ms", "--log-level", "debug",
             *self.options], self.folder + ".log", self.env)
        if wait:
            wait_until("the coordinator", self.is_up)
        return self

    def is_up(self):
        if not self.process.is_running():
            raise AssertionError(f"the coordinator ended:\n{self.process.logged()[-4000:]}")
        return os.path.exists(self.socket) and self.cli("status", check=False).returncode == 0

    def restart(self):
        return self.start()

    def cli(self, *args, check=True, timeout=PATIENCE):
        return run(program("espalier"), "--socket", self.socket, *args, check=check, timeout=timeout)

    def json(self, *args, **more):
        return json.loads(self.cli("--json", *args, **more).stdout)

    @property
    def endpoint(self):
        return f"tcp://127.0.0.1:{self.ports[0]}"

    @property
    def tools_endpoint(self):
        return f"tcp://127.0.0.1:{self.ports[1]}"

    @property
    def events_endpoint(self):
        return f"tcp://127.0.0.1:{self.ports[2]}"

    @property
    def key(self):
        return self.json("status")["public_key"]

    def allow(self, key, *more):
        self.cli("devices", "allow", *more, "--", key)


class Agent:
    def __init__(self, coordinator, folder, name, *options):
        self.coordinator, self.folder, self.name, self.options = coordinator, folder, name, options
        self.process = None
        self.key = run(program("espalier-agent"), "key", "--data-dir", folder).stdout.strip()

    def allow(self):
        self.coordinator.allow(self.key, "--name", self.name)
        return self

    def start(self, server_key=None):
        self.process = Process(
            [program("espalier-agent"), "--data-dir", self.folder, "--name", self.name,
             "--coordinator", self.coordinator.endpoint, f"--server-key={server_key or self.coordinator.key}",
             "--log-level", "debug", "--bench=no", *self.options], self.folder + ".log")
        return self

    def plan_folder(self, job):
        return os.path.join(self.folder, "plans", job, "current")


class Tool:
    """An outside tool in the form of a REQ or DEALER socket; CURVE over TCP, nothing over ipc."""

    def __init__(self, endpoint, kind=zmq.DEALER, keys=None, server_key=None):
        self.context = zmq.Context()
        self.socket = self.context.socket(kind)
        self.socket.linger = 0
        self.kind = kind
        if keys:
            self.socket.curve_publickey, self.socket.curve_secretkey = keys
            self.socket.curve_serverkey = server_key.encode()
        self.socket.connect(endpoint)
        self.progress = []

    def close(self):
        self.socket.close()
        self.context.term()

    def send(self, request):
        self.socket.send(request.SerializeToString())

    def receive(self, patience=PATIENCE):
        """The next Response; Progress messages before it are kept in self.progress."""
        deadline = time.monotonic() + patience
        while self.socket.poll(max(0, int(1000 * (deadline - time.monotonic())))):
            message = tool_pb2.ToolMessage.FromString(self.socket.recv())
            if message.HasField("response"):
                return message.response
            self.progress.append(message.progress.text)
        return None

    def ask(self, body, patience=PATIENCE, request_id=None, progress=False, **fields):
        request = tool_pb2.Request(protocol_version=1, request_id=request_id or uuid.uuid4().hex)
        if progress:
            request.progress = True
        getattr(request, body).SetInParent()
        for name, value in fields.items():
            at = getattr(request, body)
            if hasattr(value, "SerializeToString"):
                getattr(at, name).CopyFrom(value)
            else:
                setattr(at, name, value)
        self.send(request)
        return self.receive(patience)


def read_lines(path):
    """The documents of a file with one on each line."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def job_of(path, job_id=None):
    """A job file as the protobuf that a tool sends: the content of the files it mentions goes along."""
    from google.protobuf import json_format
    document = read_json(path)
    if job_id:
        document["job_id"] = job_id
    model = document.get("federated", {}).get("model", {})
    if "config" in model:
        model["config_json"] = open(os.path.join(os.path.dirname(path), model.pop("config")), encoding="utf-8").read()

    def words_to_enums(value, message):
        """JSON has "fair" where protobuf's own mapping wants THERMAL_FAIR."""
        for key, item in list(value.items()):
            field = message.fields_by_name[key]
            items = item if isinstance(item, list) else [item]
            if field.enum_type:
                names = {n.name.lower(): n.name for n in field.enum_type.values}
                prefix = "".join("_" + c.lower() if c.isupper() else c for c in field.enum_type.name)[1:]
                value[key] = names[f"{prefix}_{item}"]
            elif field.message_type:
                for one in items:
                    words_to_enums(one, field.message_type)
        return value

    return json_format.ParseDict(words_to_enums(document, job_pb2.Job.DESCRIPTOR), job_pb2.Job())
