"""bench_claims.py: one generic signature (a question, an answer) against the domain signatures, on the same fleets.

The design that the signatures come from claims that domain signatures need fewer tokens and give better answers. Here
both are asked of the real small model about the same facts: the federated question's own inputs as the coordinator
makes them, once in FederatedLearningSignature (typed, reasoning first, by schema) and once as one text in
`question -> answer`. Both answers then go through the same reader and the same planner (a scripted endpoint hands the
generic one in), so both are judged by the same decisions: the share of the fields wanted that parse (a value was
found), that fit (used or moved to the nearest that fits), and that survive unrepaired (used as proposed).

The model has 135 million parameters: the figures are what it does, and say little of a larger one."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TREE, "tests/integration"))
import harness as h

FLEETS = {"2 kinds": ["m1-8gb", "m4max-64gb"], "4 kinds": ["m1-8gb", "m3pro-18gb", "m4max-64gb", "m2ultra-192gb"]}
MAX_TOKENS = 320
JOB = os.path.join(TREE, "deploy/examples/federated.json")
FAKE = os.path.join(TREE, "tests/support/fake_lm.py")
ASK = ("Plan the next round of federated fine-tuning for these devices: the optimization strategy, the allocation of "
       "resources, what each client does, the communication protocol, and how the round converges. Give values.")


def scripted(root, reply, log):
    path = os.path.join(root, "reply.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write(reply or " ")
    fake = subprocess.Popen([sys.executable, FAKE, "--reply", path, "--log", log], stdout=subprocess.PIPE, text=True)
    return fake, fake.stdout.readline().split()[1]


class Lab:
    """A coordinator over an endpoint, with a fleet."""

    def __init__(self, root, fleet, port, *options):
        self.coordinator = h.Coordinator(os.path.join(root, "c"), "--lm-url", f"http://127.0.0.1:{port}/v1", "--lm-model",
                                         "smollm2-135m-instruct", "--lm-max-tokens", str(MAX_TOKENS), "--lm-cache-age", "0",
                                         "--lm-first-byte-timeout", "240s", "--lm-total-timeout", "400s",
                                         "--lm-correction=no", *options).start()
        self.agents = [h.Agent(self.coordinator, os.path.join(root, n), n, "--replay",
                               os.path.join(h.FLEET, f"composed-{n}.json")).allow().start() for n in fleet]
        h.wait_until("the fleet", lambda: len([d for d in self.coordinator.json("devices").get("devices", [])
                                               if "state" in d]) == len(fleet))

    def plan(self):
        return self.coordinator.json("plan", "federated", JOB, "--engine", "lm", "--dry-run", "--timeout", "500s",
                                     timeout=520)["plan"]

    def close(self):
        for agent in self.agents:
            agent.process.stop()
        self.coordinator.process.stop()


def with_lab(fleet, port, work, *options):
    root = tempfile.mkdtemp(prefix="esp")
    lab = Lab(root, fleet, port, *options)
    try:
        return work(lab)
    finally:
        lab.close()
        shutil.rmtree(root)


def judged(plan):
    """(wanted, parse, fit, survive): wanted are the fields that the planner decides with or without a proposal."""
    decisions = plan.get("decisions", [])
    if "failure" in plan["proposal"]:  # nothing of the answer was used: the decisions are about the planner's own values
        return len(decisions), 0, 0, 0
    proposed = [d for d in decisions if "proposed" in d and d["outcome"] != "missing"]
    fit = [d for d in proposed if d["outcome"] in ("used", "repaired")]
    return len(decisions), len(proposed), len(fit), len([d for d in proposed if d["outcome"] == "used"])


def facts_of(fleet):
    """The inputs of the domain question, as the coordinator words them."""
    root = tempfile.mkdtemp(prefix="esp")
    log = os.path.join(root, "log")
    fake, port = scripted(root, "", log)
    try:
        with_lab(fleet, port, Lab.plan)
        user = json.loads(h.read_lines(log)[0]["body"])["messages"][-1]["content"]
    finally:
        fake.terminate()
        fake.wait(30)
        fake.stdout.close()
        shutil.rmtree(root)
    return user.rsplit("\n\n", 1)[0].replace("[[ ## ", "").replace(" ## ]]", ":")


def generic(fleet, port):
    """Usage of `question -> answer`, and its answer judged as a federated plan."""
    question = facts_of(fleet) + "\n\n" + ASK

    def work(lab):
        return json.loads(h.run(h.program("espalier"), "--socket", lab.coordinator.socket, "--json", "signature", "run",
                                "question -> answer", "--no-context", "a generic question", "--inputs", "-", "--no-retry",
                                "--timeout", "500s", input=json.dumps({"question": question}), check=False,
                                timeout=520).stdout)

    run = with_lab([], port, work)
    answer = run["outputs"][0]["value"].get("text", "") if run.get("outputs") else run.get("reply", "")
    root = tempfile.mkdtemp(prefix="esp")
    fake, fake_port = scripted(root, answer, os.path.join(root, "log"))
    try:
        plan = with_lab(fleet, fake_port, Lab.plan, "--lm-adapter", "json")
    finally:
        fake.terminate()
        fake.wait(30)
        fake.stdout.close()
        shutil.rmtree(root)
    return run["usage"], judged(plan)


def main():
    port = h.free_port()
    model = subprocess.Popen([sys.executable, os.path.join(TREE, "tests/interop/small_model.py"), str(port)],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if model.stdout.readline().strip() != "ready":
        raise SystemExit("the model's server did not start")
    print(f"{'fleet':9} {'signature':10} {'calls':>5} {'tokens in':>9} {'out':>5}  {'parse':>7} {'fit':>7} {'unrepaired':>10}")
    try:
        for name, fleet in FLEETS.items():
            plan = with_lab(fleet, port, Lab.plan, "--lm-adapter", "json")
            for kind, usage, shares in (("domain", plan["proposal"]["usage"], judged(plan)), ("generic", *generic(fleet, port))):
                wanted, *parts = shares
                print(f"{name:9} {kind:10} {usage['calls']:5} {usage.get('prompt_tokens', 0):9} "
                      f"{usage.get('completion_tokens', 0):5}  " + " ".join(f"{100 * p / max(1, wanted):5.0f} %" for p in parts)
                      + f"   of {wanted} fields")
    finally:
        model.terminate()
        model.wait(30)
        model.stdout.close()


if __name__ == "__main__":
    main()
