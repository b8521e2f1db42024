"""test_check_rooms.py: the checker itself is right: it passes the tree, and names each kind of breach by line."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))


def check(tree):
    done = subprocess.run([sys.executable, os.path.join(HERE, "check_rooms.py"), tree], capture_output=True, text=True,
                          timeout=60, check=False)
    return done.returncode, done.stdout


class CheckRooms(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp()
        for top in ("common", "coordinator", "agent"):
            shutil.copytree(os.path.join(TREE, top), os.path.join(self.tree, top))

    def tearDown(self):
        shutil.rmtree(self.tree)

    def break_it(self, path, line):
        with open(os.path.join(self.tree, path), "a", encoding="utf-8") as f:
            f.write(line + "\n")
        with open(os.path.join(self.tree, path), encoding="utf-8") as f:
            number = len(f.readlines())
        code, out = check(self.tree)
        self.assertEqual(code, 1, out)
        self.assertIn(f"{path}:{number}: ", out)

    def test_the_tree_keeps_the_rules(self):
        self.assertEqual(check(TREE), (0, ""))

    def test_a_room_that_reaches_for_another_is_named(self):
        self.break_it("coordinator/planner/cost.c", '#include "common/net/socket.h"')

    def test_a_library_outside_its_room_is_named(self):
        self.break_it("coordinator/fleet/fleet.c", "#include <zmq.h>")
        self.break_it("agent/report/CMakeLists.txt", "espalier_room(agent/report SOURCES x.c USES dep_curl)")

    def test_generated_code_outside_wire_is_named(self):
        self.break_it("coordinator/front/front.c", '#include "espalier/v1/tool.pb-c.h"')

    def test_a_link_line_that_goes_past_the_list_is_named(self):
        self.break_it("common/model/CMakeLists.txt", "espalier_room(common/model SOURCES x.c USES common/net)")
        self.break_it("common/core/CMakeLists.txt", "target_link_libraries(espalier_core PUBLIC dep_zmq)")

    def test_a_new_folder_must_be_listed(self):
        os.mkdir(os.path.join(self.tree, "coordinator/pantry"))
        self.break_it("coordinator/pantry/pantry.c", "int pantry;")  # line 1


if __name__ == "__main__":
    unittest.main(verbosity=0)
