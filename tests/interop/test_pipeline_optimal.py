"""The pipeline planner beside an exact solver: makespans of random small jobs against CP-SAT.

Each case is a random graph of 5 to 8 stages on 3 or 4 machine files with random links. The solver gets the times that the
plan itself must show: fixed + max(flop / rate, bytes / bandwidth), with the rates that the plan says it used; a stage of
the plan that takes another time fails the test. Transfers cost latency and bits over the slower end, nothing on one device.
"""

import json
import os
import random
import subprocess
import tempfile
import unittest

from ortools.sat.python import cp_model

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
ESPALIER = os.path.join(os.environ["ESPALIER_BUILD"], "coordinator/cli/espalier")
MACHINES = os.path.join(TREE, "deploy/examples/fleet")
CASES = int(os.environ.get("OPTIMAL_CASES", "40"))
TRAINING, INFERENCE, BANDWIDTH = 0.42, 0.6, 0.56  # as pipeline_graph.c has them
LATENCY = 0.002
UNIT = 1000  # the solver's integers: milliseconds


def machines(folder, r):
    """A few machine files with links of their own; their rates are composed from published tables."""
    names = [n for n in sorted(os.listdir(MACHINES)) if n.startswith("composed-m")]
    links = {}
    for i, name in enumerate(r.sample(names, r.choice([3, 4]))):
        with open(os.path.join(MACHINES, name), encoding="utf-8") as f:
            machine = json.load(f)
        machine["state"].update(up_bps=r.choice([1e8, 3e8, 1e9]), down_bps=r.choice([1e8, 3e8, 1e9]), thermal="nominal",
                                power_source="ac", low_power_mode=False, memory_pressure="normal")
        links[f"mac-{i}"] = (machine["state"]["up_bps"], machine["state"]["down_bps"])
        with open(os.path.join(folder, f"mac-{i}.json"), "w", encoding="utf-8") as f:
            json.dump(machine, f)
    return links


def graph(r):
    stages = []
    for i in range(r.randint(5, 8)):
        kind = r.choice(["training", "inference", "preprocessing", "evaluation"])
        stages.append({"name": f"s{i}", "kind": kind, "flop": 10 ** r.uniform(14.5, 16), "bytes_moved": 10 ** r.uniform(11, 14),
                       "fixed_seconds": r.uniform(0, 60), "memory_bytes": int(r.choice([1, 3, 6, 14]) * 1e9),
                       "output_bytes": int(10 ** r.uniform(7, 10.3)), "after": [f"s{k}" for k in range(i) if r.random() < 0.35]})
        if not stages[-1]["after"]:
            del stages[-1]["after"]
    return stages


def plan(folder, stages):
    job = os.path.join(folder, "job")
    with open(job + ".json", "w", encoding="utf-8") as f:
        json.dump({"format_version": 1, "job_id": "case",
                   "pipeline": {"stages": stages, "links": {"default_bps": 1e8, "latency_seconds": LATENCY},
                                "rules": {"max_thermal": "serious"}}}, f)
    with open(job + "-ask.json", "w", encoding="utf-8") as f:
        f.write("{}")
    done = subprocess.run([ESPALIER, "plan", "check", job + ".json", job + "-ask.json", "--fleet", os.path.join(folder, "fleet"),
                           "--json"], capture_output=True, text=True, timeout=120, check=False)
    return json.loads(done.stdout)["plan"] if done.returncode == 0 else None


def seconds(stage, machine):
    share = INFERENCE if stage["kind"] in ("inference", "evaluation") else TRAINING
    return stage["fixed_seconds"] + max(stage["flop"] / (share * machine["gpu_flops"]),
                                        stage["bytes_moved"] / (BANDWIDTH * machine["memory_bandwidth_bytes_per_s"]))


def least_makespan(stages, devices, links, times, fits):
    m = cp_model.CpModel()
    horizon = int(UNIT * (sum(max(t.values()) for t in times.values()) +
                          sum(s["output_bytes"] * 8 / 1e8 + LATENCY for s in stages) * len(stages)))
    start, end, at = {}, {}, {}
    lanes = {d: [] for d in devices}
    for s in stages:
        name = s["name"]
        start[name] = m.new_int_var(0, horizon, f"start {name}")
        end[name] = m.new_int_var(0, horizon, f"end {name}")
        for d in devices:
            at[name, d] = m.new_bool_var(f"{name} on {d}")
            if not fits[name, d]:
                m.add(at[name, d] == 0)
                continue
            length = int(UNIT * times[name][d])  # rounded down: the solver's optimum is never above the true one
            lanes[d].append(m.new_optional_interval_var(start[name], length, end[name], at[name, d], f"{name} {d}"))
        m.add_exactly_one(at[name, d] for d in devices)
    for d in devices:
        m.add_no_overlap(lanes[d])
    by_name = {s["name"]: s for s in stages}
    for s in stages:
        for before in s.get("after", []):
            for a in devices:
                for b in devices:
                    way = 0 if a == b else LATENCY + by_name[before]["output_bytes"] * 8 / min(links[a][0], links[b][1])
                    m.add(start[s["name"]] >= end[before] + int(UNIT * way)).only_enforce_if(at[before, a], at[s["name"], b])
    last = m.new_int_var(0, horizon, "makespan")
    m.add_max_equality(last, end.values())
    m.minimize(last)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = 20
    solver.parameters.num_workers = 2
    solver.parameters.random_seed = 1
    if solver.solve(m) != cp_model.OPTIMAL:
        return None
    return solver.objective_value / UNIT


class Pipelines(unittest.TestCase):
    def test_plans_come_within_a_tenth_of_the_optimum(self):
        ratios, unproved, single = [], 0, []
        for case in range(CASES):
            r = random.Random(case)
            with tempfile.TemporaryDirectory() as folder:
                os.mkdir(os.path.join(folder, "fleet"))
                links = machines(os.path.join(folder, "fleet"), r)
                stages = graph(r)
                made = plan(folder, stages)
            if made is None:  # a stage fits none of the few Macs
                continue
            classes = {c["client_class"]: c for c in made["classes"]}
            devices = [a["device_id"] for a in made["assignments"]]
            of = {a["device_id"]: classes[a["client_class"]] for a in made["assignments"]}
            times = {s["name"]: {d: seconds(s, of[d]) for d in devices} for s in stages}
            fits = {(s["name"], d): s["memory_bytes"] <= 0.9 * of[d]["memory_limit_bytes"] for s in stages for d in devices}
            for part in made["pipeline"]["stages"]:
                self.assertAlmostEqual(part["finish_seconds"] - part["start_seconds"], times[part["stage"]][part["device_id"]],
                                       delta=1e-6 * part["finish_seconds"] + 1e-6, msg=f"case {case}, {part['stage']}")
                self.assertTrue(fits[part["stage"], part["device_id"]])
            best = least_makespan(stages, devices, links, times, fits)
            if best is None:
                unproved += 1
                continue
            mine = made["pipeline"]["makespan_seconds"]
            self.assertGreaterEqual(mine, best * (1 - 1e-4), f"case {case}: better than the optimum")
            ratios.append(mine / best)
            if "single_device_seconds" in made["pipeline"]:
                single.append(made["pipeline"]["single_device_seconds"] / best)
                self.assertLessEqual(mine, made["pipeline"]["single_device_seconds"] * (1 + 1e-9))
        ratios.sort()
        single.sort()
        n = len(ratios)
        self.assertGreater(n, CASES / 3)
        print(f"pipeline plan over CP-SAT's optimum, {n} cases ({unproved} not proved in 20 s): median {ratios[n // 2]:.4f}, "
              f"95th {ratios[int(0.95 * (n - 1))]:.4f}, worst {ratios[-1]:.4f}; exactly it in {sum(x < 1.0005 for x in ratios)}")
        if single:
            print(f"best single Mac over the optimum: median {single[len(single) // 2]:.3f}, worst {single[-1]:.3f}")
        self.assertLessEqual(ratios[-1], 1.10)


if __name__ == "__main__":
    unittest.main(verbosity=1)
