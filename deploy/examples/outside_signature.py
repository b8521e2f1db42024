#!/usr/bin/env python3
"""outside_signature.py: have a coordinator's model answer a signature, from Python.

Needs what outside_tool.py beside it needs. The signature is the name of one that the coordinator has, or a line.

    python3 outside_signature.py --coordinator ipc://PATH "question -> answer: int" '{"question": "6 times 7?"}'

The answer is JSON on standard output; what it cost goes to standard error."""

import argparse
import json
import sys
import uuid

import zmq

import outside_tool


def value_of(message, plain, forms):
    """Whatever JSON holds into a Value: `form` says which of its fields holds it."""
    if plain is None:
        message.form = forms.VALUE_FORM_NULL
    elif isinstance(plain, bool):
        message.form, message.truth = forms.VALUE_FORM_TRUTH, plain
    elif isinstance(plain, int):
        message.form, message.integer = forms.VALUE_FORM_INTEGER, plain
    elif isinstance(plain, float):
        message.form, message.number = forms.VALUE_FORM_NUMBER, plain
    elif isinstance(plain, str):
        message.form, message.text = forms.VALUE_FORM_TEXT, plain
    elif isinstance(plain, list):
        message.form = forms.VALUE_FORM_LIST
        for item in plain:
            value_of(message.items.add(), item, forms)
    else:
        message.form = forms.VALUE_FORM_MAP
        for name, item in plain.items():
            value_of(message.members.add(name=name).value, item, forms)


def plain_of(message, forms):
    return {forms.VALUE_FORM_NULL: lambda: None, forms.VALUE_FORM_TRUTH: lambda: message.truth,
            forms.VALUE_FORM_INTEGER: lambda: message.integer, forms.VALUE_FORM_NUMBER: lambda: message.number,
            forms.VALUE_FORM_TEXT: lambda: message.text,
            forms.VALUE_FORM_LIST: lambda: [plain_of(item, forms) for item in message.items],
            forms.VALUE_FORM_MAP: lambda: {m.name: plain_of(m.value, forms) for m in message.members}}[message.form]()


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("signature")
    args.add_argument("inputs", help="a JSON object with a value for each input")
    args.add_argument("--coordinator", required=True)
    args.add_argument("--server-key")
    args.add_argument("--key-file")
    args.add_argument("--proto", default=outside_tool.PROTO)
    args = args.parse_args()
    enums, _, tools = outside_tool.load_protocol(args.proto)

    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.linger = 0
    if args.key_file:
        socket.curve_publickey, socket.curve_secretkey = outside_tool.own_keys(args.key_file)
        socket.curve_serverkey = args.server_key.encode()
    socket.connect(args.coordinator)

    request = tools.Request(protocol_version=1, request_id=uuid.uuid4().hex)
    question = request.signature_run.question
    question.signature.name = args.signature
    question.signature.no_context = "asked from outside"  # of a line: it has no hardware in it
    for name, plain in json.loads(args.inputs).items():
        value_of(question.inputs.add(name=name).value, plain, enums)
    socket.send(request.SerializeToString())
    response = tools.ToolMessage.FromString(socket.recv()).response
    if response.code != enums.RESPONSE_CODE_OK:
        raise SystemExit(f"{enums.ResponseCode.Name(response.code)}: {response.message}")
    run = response.signature_run
    print(f"{run.usage.calls} calls, {run.usage.prompt_tokens} tokens in, {run.usage.completion_tokens} out",
          file=sys.stderr)
    for note in run.notes:
        print(f"note: {note}", file=sys.stderr)
    if run.failure:
        raise SystemExit(run.failure)
    print(json.dumps({o.name: plain_of(o.value, enums) for o in run.outputs}, ensure_ascii=False))


if __name__ == "__main__":
    main()
