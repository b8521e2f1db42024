"""What the documentation shows is what the programs say."""

import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import harness as h


def read(path):
    with open(os.path.join(h.TREE, path), encoding="utf-8") as f:
        return f.read()


class Docs(unittest.TestCase):
    def test_the_reference_of_jobs_is_the_program_s_own(self):
        reference = h.run(h.program("espalier"), "help", "job", env={**os.environ, "COLUMNS": "120"}).stdout
        self.assertIn("```\n" + reference + "```\n", read("deploy/examples/README.md"),
                      "deploy/examples/README.md: put the output of `espalier help job` there again")

    def test_the_sample_settings_are_the_programs_own(self):
        for name, program in (("coordinator", "espalier-coordinator"), ("agent", "espalier-agent")):
            sample = h.run(h.program(program), "config", "sample").stdout
            self.assertEqual(sample, read(f"deploy/examples/{name}.conf"), f"put `{program} config sample` there again")

    def test_every_command_of_the_readme_exists(self):
        known = h.run(h.program("espalier"), "help").stdout
        for line in re.findall(r"^espalier ([a-z]+(?: (?:federated|pipeline|allow|show|why))?)", read("README.md"), re.M):
            self.assertIn(f"  {line}", known)

    def test_every_flag_of_the_readme_exists(self):
        helps = "".join(h.run(h.program(p), "--help").stdout for p in ("espalier", "espalier-agent",
                                                                       "espalier-coordinator"))
        for command in (("plan", "federated"), ("plan", "show"), ("devices", "allow"), ("predict",),
                        ("signature", "create"), ("signature", "export"), ("signature", "run"),
                        ("plan", "simulate")):
            helps += h.run(h.program("espalier"), "help", *command).stdout
        for script in ("deploy/service", "deploy/quickstart"):
            helps += h.run(os.path.join(h.TREE, script), "--help").stdout
        for flag in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", read("README.md"))) - {"--build", "--install"}:
            self.assertTrue(flag in helps, flag)

    def test_every_link_of_the_readme_leads_somewhere(self):
        for link in re.findall(r"\]\(([^)#:]+)\)", read("README.md")):
            self.assertTrue(os.path.exists(os.path.join(h.TREE, link)), link)

    def test_every_machine_can_be_probed_without_a_coordinator(self):
        for name in sorted(os.listdir(h.MACHINES)):
            if not name.endswith(".json"):
                continue
            out = h.run(h.program("espalier-agent"), "probe", "--json", "--replay", os.path.join(h.MACHINES, name)).stdout
            profile = json.loads(out)["profile"]
            self.assertEqual(profile["origin"], "recorded", name)
            for unknown in profile.get("unknown", []):
                at = profile
                for part in unknown["field"].split("."):
                    at = at.get(part) if isinstance(at, dict) else None
                self.assertIsNone(at, f"{name}: {unknown['field']} is both known and unknown")


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
