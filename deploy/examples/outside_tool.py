#!/usr/bin/env python3
"""outside_tool.py: talk to a coordinator from Python: list devices, submit a job, read the plan.

Needs pyzmq and protobuf (Debian: python3-zmq python3-protobuf) and protoc. The .proto files are the whole
interface; proto/PROTOCOL.md says how they travel.

    python3 outside_tool.py --coordinator tcp://HOST:7421 --server-key KEY --key-file my.keys JOB.json
    python3 outside_tool.py --coordinator ipc://PATH JOB.json         (on the coordinator's own machine)

The first run with --key-file makes a key pair and prints the line that lets it in."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid

import zmq

PROTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../proto")


def load_protocol(proto):
    out = tempfile.mkdtemp()
    names = [os.path.join("espalier/v1", n) for n in os.listdir(os.path.join(proto, "espalier/v1"))]
    subprocess.run(["protoc", "-I", proto, f"--python_out={out}", *names], check=True)
    sys.path.insert(0, out)
    from espalier.v1 import enums_pb2, job_pb2, tool_pb2
    return enums_pb2, job_pb2, tool_pb2


def fill(message, document):
    """A JSON document into a message: member names are field names, words are enum values."""
    for name, value in document.items():
        field = message.DESCRIPTOR.fields_by_name.get(name)
        if field is None:
            raise SystemExit(f"{message.DESCRIPTOR.name} has no field {name}")
        repeated = field.label == field.LABEL_REPEATED
        for item in value if repeated else [value]:
            if field.message_type:
                fill(getattr(message, name).add() if repeated else getattr(message, name), item)
                if not repeated:
                    getattr(message, name).SetInParent()
                continue
            if field.enum_type:
                item = next(v.number for v in field.enum_type.values if v.name.lower().endswith("_" + item))
            elif field.cpp_type == field.CPPTYPE_DOUBLE:
                item = float(item)
            if repeated:
                getattr(message, name).append(item)
            else:
                setattr(message, name, item)


def own_keys(path):
    if not os.path.exists(path):
        public, secret = zmq.curve_keypair()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
            f.write(public + b"\n" + secret + b"\n")
        print("made a key; let it in with: espalier devices allow --tool operator -- '%s'" % public.decode())
        raise SystemExit(0)
    return open(path, "rb").read().split()


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("job")
    args.add_argument("--coordinator", required=True)
    args.add_argument("--server-key")
    args.add_argument("--key-file")
    args.add_argument("--proto", default=PROTO)
    args = args.parse_args()
    enums, jobs, tools = load_protocol(args.proto)

    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.linger = 0
    if args.key_file:
        socket.curve_publickey, socket.curve_secretkey = own_keys(args.key_file)
        socket.curve_serverkey = args.server_key.encode()
    socket.connect(args.coordinator)

    def ask(request):
        request.protocol_version = 1
        request.request_id = uuid.uuid4().hex
        socket.send(request.SerializeToString())
        if not socket.poll(120000):
            raise SystemExit("no answer: is the coordinator there, and this key let in?")
        response = tools.ToolMessage.FromString(socket.recv()).response
        if response.code != enums.RESPONSE_CODE_OK:
            raise SystemExit(f"{enums.ResponseCode.Name(response.code)} {response.field}: {response.message}")
        return response

    request = tools.Request()
    request.devices.SetInParent()
    for device in ask(request).devices.devices:
        print(f"{device.device_id}  {device.profile.chip or 'unknown chip':16} "
              f"{device.profile.memory_bytes / 2**30:6.0f} GiB  {enums.Liveness.Name(device.liveness)}")

    document = json.load(open(args.job, encoding="utf-8"))
    model = document.get("federated", {}).get("model", {})
    if "config" in model:  # a tool sends the content of what a job mentions, never a path
        path = os.path.join(os.path.dirname(args.job), model.pop("config"))
        model["config_json"] = open(path, encoding="utf-8").read()
    request = tools.Request()
    fill(request.plan.job, document)
    plan_id = ask(request).plan.plan.plan_id

    request = tools.Request()
    request.plan_get.plan_id = plan_id
    plan = ask(request).plan.plan
    print(f"plan {plan.plan_id}: {plan.forecast.clients} clients, {plan.forecast.left_out} left out, "
          f"{plan.forecast.round_seconds:.0f} s")
    for a in plan.assignments:
        what = (f"batch {a.training.batch_size} x {a.training.grad_accumulation}, {a.training.local_steps} steps"
                if a.HasField("training") else
                ", ".join(s.stage for s in a.stages) if a.stages else a.reason)
        print(f"  {a.device_id}  {what}")


if __name__ == "__main__":
    main()
