"""The files that make a daemon of each program: complete, well formed, and with arguments that the program takes."""

import configparser
import os
import plistlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import harness as h

SERVICE = os.path.join(h.TREE, "deploy/service")
UNITS = {"linux": "/etc/systemd/system/espalier-{}.service", "macos": "/Library/LaunchDaemons/org.espalier.{}.plist"}
SETTINGS = {"linux": "/etc/espalier/{}.conf", "macos": "/Library/Application Support/Espalier/{}.conf"}


class Service(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="esp")

    def tearDown(self):
        shutil.rmtree(self.root)

    def service(self, *words, check=True):
        return h.run(SERVICE, *words, "--root", self.root, check=check)

    def install(self, what, system, *more):
        self.service("install", what, "--system", system, "--user", "lab", "--program", h.program(f"espalier-{what}"),
                     *more)
        return self.root + UNITS[system].format(what)

    def arguments(self, unit, system):
        if system == "macos":
            with open(unit, "rb") as f:
                return plistlib.load(f)["ProgramArguments"]
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.optionxform = str
        parser.read(unit)
        return parser["Service"]["ExecStart"].split(" ")

    def test_the_program_takes_the_arguments_and_the_settings(self):
        for what in ("agent", "coordinator"):
            for system in UNITS:
                words = self.arguments(self.install(what, system), system)
                self.assertEqual(words[0], h.program(f"espalier-{what}"))
                at = words.index("--config") + 1
                self.assertEqual(words[at], SETTINGS[system].format(what))
                words[at] = self.root + words[at]
                shown = h.run(*words, "config", "show").stdout
                self.assertIn(f"data_dir = {words[words.index('--data-dir') + 1]}", shown)

    def test_nothing_is_left_to_fill_in(self):
        for what in ("agent", "coordinator"):
            for system in UNITS:
                with open(self.install(what, system), encoding="utf-8") as f:
                    self.assertNotIn("@", f.read())

    def test_launchd_starts_it_again_but_not_after_a_wanted_stop(self):
        with open(self.install("agent", "macos"), "rb") as f:
            unit = plistlib.load(f)
        self.assertEqual(unit["Label"], "org.espalier.agent")
        self.assertEqual(unit["UserName"], "lab")
        self.assertEqual(unit["KeepAlive"], {"SuccessfulExit": False})
        self.assertIs(unit["RunAtLoad"], True)
        self.assertEqual(unit["Umask"], 0o022)
        self.assertTrue(os.path.isdir(self.root + unit["WorkingDirectory"]))
        self.assertTrue(os.path.isdir(self.root + os.path.dirname(unit["StandardErrorPath"])))

    def test_a_path_with_marks_of_xml_stays_a_path(self):
        odd = os.path.join(self.root, "a & b <c>")
        os.mkdir(odd)
        program = os.path.join(odd, "espalier-agent")
        os.symlink(h.program("espalier-agent"), program)
        self.service("install", "agent", "--system", "macos", "--user", "lab", "--program", program)
        self.assertEqual(self.arguments(self.root + UNITS["macos"].format("agent"), "macos")[0], program)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd here")
    def test_systemd_finds_no_fault(self):
        for what in ("agent", "coordinator"):
            unit = self.install(what, "linux")
            done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", unit], capture_output=True,
                                  text=True, timeout=60, check=False)
            faults = [line for line in done.stderr.splitlines() if os.path.basename(unit) in line]
            self.assertEqual(faults, [])

    def test_settings_of_a_person_are_kept_until_they_are_purged(self):
        for system in UNITS:
            unit = self.install("agent", system)
            settings = self.root + SETTINGS[system].format("agent")
            with open(settings, "w", encoding="utf-8") as f:
                f.write("name = mine\n")
            self.install("agent", system)
            self.service("remove", "agent", "--system", system)
            self.assertFalse(os.path.exists(unit))
            with open(settings, encoding="utf-8") as f:
                self.assertEqual(f.read(), "name = mine\n")
            self.service("remove", "agent", "--system", system, "--purge")
            self.assertFalse(os.path.exists(settings))
            self.service("remove", "agent", "--system", system, "--purge")  # twice is fine

    def test_wrong_words_are_named(self):
        for words, named in ((("instal", "agent"), "instal"), (("install", "agnet"), "agnet"),
                             (("install", "agent", "--system", "plan9"), "plan9"),
                             (("install", "agent", "--prefix"), "--prefix"),
                             (("install", "agent", "--purge"), "--purge"),
                             (("install", "agent", "--program", "here/espalier-agent"), "here/espalier-agent")):
            done = self.service(*words, check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(f'"{named}"' if named != "--purge" else named, done.stderr)
        done = self.service("install", "agent", "--program", "/no/such/program", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such/program", done.stderr)

    def test_the_formula_has_the_sum_of_its_tarball(self):
        tarball = os.path.join(self.root, "t.tar.gz")
        with open(tarball, "wb") as f:
            f.write(b"abc")
        formula = h.run(os.path.join(h.TREE, "deploy/homebrew/formula"), tarball, "https://example.org/a&b.tar.gz").stdout
        self.assertIn('url "https://example.org/a&b.tar.gz"', formula)
        self.assertIn("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", formula)
        self.assertNotRegex(formula, "@[a-z0-9]+@")
        self.assertEqual(formula.count("\n  def ") + formula.count(" do\n") + 1, formula.count("end\n"))


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0).result.wasSuccessful() else 1)
