"""Wrong keys, wrong bytes, wrong words: each gets a clear answer or none, and nobody else notices."""

import os
import shutil
import socket
import sys
import tempfile
import unittest

import zmq

import harness as h

JOB = os.path.join(h.TREE, "deploy/examples/federated.json")


class Strangers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="esp")
        cls.coordinator = h.Coordinator(os.path.join(cls.root, "c")).start()
        cls.key = cls.coordinator.key
        cls.agent = h.Agent(cls.coordinator, os.path.join(cls.root, "a"), "good", "--replay",
                            os.path.join(h.FLEET, "composed-m4max-64gb.json")).allow().start(cls.key)
        cls.operator = cls.new_tool_key("operator")
        cls.viewer = cls.new_tool_key("viewer")
        h.wait_until("the good agent", cls.good_is_online)

    @classmethod
    def tearDownClass(cls):
        cls.agent.process.stop()
        cls.coordinator.process.stop()
        shutil.rmtree(cls.root)

    @classmethod
    def good_is_online(cls):
        devices = cls.coordinator.json("devices").get("devices", [])
        return [d for d in devices if d["liveness"] == "online" and "state" in d]

    @classmethod
    def new_tool_key(cls, role):
        public, secret = zmq.curve_keypair()
        cls.coordinator.cli("devices", "allow", "--tool", role, "--", public.decode())
        return public, secret

    def tearDown(self):
        self.assertTrue(self.coordinator.process.is_running(), self.coordinator.process.logged()[-4000:])
        self.assertTrue(self.good_is_online())

    def tool(self, keys=None, endpoint=None, kind=zmq.DEALER):
        tool = h.Tool(endpoint or self.coordinator.tools_endpoint, kind, keys or self.operator, self.key)
        self.addCleanup(tool.close)
        return tool

    def code(self, response):
        return h.enums_pb2.ResponseCode.Name(response.code)[len("RESPONSE_CODE_"):].lower()

    def test_an_unknown_key_gets_nothing(self):
        self.assertIsNone(self.tool(keys=zmq.curve_keypair()).ask("status", patience=2))

    def test_an_agents_key_opens_nothing_at_the_tools_port(self):
        text = open(os.path.join(self.agent.folder, "agent.key"), encoding="utf-8").read().split()
        keys = (text[1].encode(), text[3].encode())
        self.assertIsNone(self.tool(keys=keys).ask("status", patience=2))

    def test_a_tools_key_opens_nothing_at_the_agents_port(self):
        tool = self.tool(endpoint=self.coordinator.endpoint)
        tool.socket.send(h.agent_pb2.AgentMessage(hello=h.agent_pb2.Hello(
            protocol_version=1, boot_id="b", profile_digest="d")).SerializeToString())
        self.assertEqual(tool.socket.poll(2000), 0)

    def test_an_agent_that_expects_another_server_never_connects(self):
        wrong = h.Agent(self.coordinator, os.path.join(self.root, "w"), "wrong").allow()
        wrong.start(zmq.curve_keypair()[0].decode())
        self.addCleanup(wrong.process.stop)
        h.wait_until("the agent to say so", lambda: "is this its key" in wrong.process.logged())
        wrong.process.stop()
        ids = [d["device_id"] for d in self.good_is_online()]
        self.assertEqual(len(ids), 1)

    def test_a_viewer_may_look_and_not_touch(self):
        tool = self.tool(keys=self.viewer)
        self.assertEqual(self.code(tool.ask("status")), "ok")
        response = tool.ask("key_forget", id="whoever")
        self.assertEqual(self.code(response), "denied")
        self.assertIn("viewer", response.message)
        response = tool.ask("plan", job=h.job_of(JOB, "v"))
        self.assertEqual(self.code(response), "denied")
        response = tool.ask("plan", job=h.job_of(JOB, "v"), dry_run=True)
        self.assertEqual(self.code(response), "ok", response.message)

    def test_a_forgotten_tool_is_shut_out_at_once(self):
        keys = self.new_tool_key("viewer")
        tool = self.tool(keys=keys)
        self.assertEqual(self.code(tool.ask("status")), "ok")
        self.coordinator.cli("devices", "forget", "--", keys[0].decode())
        self.assertEqual(self.code(tool.ask("status")), "denied")

    def test_a_repeated_request_gets_the_same_answer_and_makes_no_second_plan(self):
        tool = self.tool()
        first = tool.ask("plan", job=h.job_of(JOB, "repeat"), request_id="the-same")
        again = tool.ask("plan", job=h.job_of(JOB, "repeat"), request_id="the-same")
        other = self.tool(kind=zmq.REQ).ask("plan", job=h.job_of(JOB, "repeat"), request_id="the-same")
        self.assertEqual(first.SerializeToString(), again.SerializeToString())
        self.assertEqual(first.SerializeToString(), other.SerializeToString())
        plans = [p for p in self.coordinator.json("plans")["plans"] if p["job_id"] == "repeat"]
        self.assertEqual(len(plans), 1)
        # What a plan holds of a Mac is not planned twice: the next job wants the memory.
        self.coordinator.cli("plan", "cancel", plans[0]["plan_id"])

    def test_a_repeated_request_survives_a_restart(self):
        tool = self.tool()
        first = tool.ask("plan", job=h.job_of(JOB, "kept"), request_id="kept-1")
        self.coordinator.process.kill()
        self.coordinator.restart()
        again = self.tool().ask("plan", job=h.job_of(JOB, "kept"), request_id="kept-1")
        self.assertEqual(first.SerializeToString(), again.SerializeToString())
        h.wait_until("the good agent to be back", self.good_is_online)
        self.coordinator.cli("plan", "cancel", first.plan.plan.plan_id)

    def test_a_wrong_version_is_told_ours(self):
        tool = self.tool()
        request = h.tool_pb2.Request(protocol_version=2, request_id="x")
        request.status.SetInParent()
        tool.send(request)
        response = tool.receive()
        self.assertEqual(self.code(response), "version")
        self.assertIn("1", response.message)

    def test_garbage_gets_an_answer_and_costs_nobody_anything(self):
        tool = self.tool()
        for bytes_ in (b"\xff" * 100, b"\x00", os.urandom(5000), b"GET / HTTP/1.1\r\n\r\n"):
            tool.socket.send(bytes_)
            response = tool.receive()
            self.assertNotEqual(self.code(response), "ok", bytes_[:20])
        self.assertEqual(self.code(tool.ask("status")), "ok")

    def test_every_truncation_of_a_request_is_answered(self):
        request = h.tool_pb2.Request(protocol_version=1, request_id="truncated")
        request.devices.limit = 5
        whole = request.SerializeToString()
        tool = self.tool()
        for length in range(1, len(whole)):
            tool.socket.send(whole[:length])
            self.assertIsNotNone(tool.receive(10), f"{length} bytes of {len(whole)}")
        self.assertEqual(self.code(tool.ask("status")), "ok")

    def test_values_out_of_range_are_named(self):
        tool = self.tool()
        response = tool.ask("devices", limit=0)
        self.assertEqual(self.code(response), "invalid")
        self.assertEqual(response.field, "devices.limit")
        self.assertIn("wanted an integer from 1 to 10000", response.message)
        job = h.job_of(JOB, "range")
        job.federated.round.rounds = -3
        response = tool.ask("plan", job=job)
        self.assertEqual(response.field, "plan.job.federated.round.rounds")

    def test_a_body_of_a_newer_protocol_is_refused_by_number(self):
        tool = self.tool()
        known = h.tool_pb2.Request(protocol_version=1, request_id="newer").SerializeToString()
        tool.socket.send(known + bytes([0xFA, 0x07, 0x00]))  # field 127, length-delimited, empty
        response = tool.receive()
        self.assertIn(self.code(response), ("unsupported", "invalid", "malformed"))
        self.assertEqual(response.code != 0, True)

    def test_an_oversized_message_is_refused_and_a_monstrous_one_drops_the_connection(self):
        tool = self.tool()
        big = h.tool_pb2.Request(protocol_version=1, request_id="big")
        big.plan.job.CopyFrom(h.job_of(JOB, "big"))
        tool.socket.send(big.SerializeToString() + bytes([0x7A]) + b"\x80\x80\x80\x09" + b"\0" * (9 << 21))
        response = tool.receive()
        self.assertEqual(self.code(response), "too_big")
        tool.socket.send(b"\0" * (64 << 20))
        other = self.tool()
        self.assertEqual(self.code(other.ask("status")), "ok")

    def test_bytes_that_are_no_zmtp_at_all(self):
        for port in self.coordinator.ports[:2]:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
                s.sendall(os.urandom(4096))
                s.settimeout(10)
                try:
                    while s.recv(4096):
                        pass
                except (ConnectionError, TimeoutError):
                    pass
        self.assertEqual(self.code(self.tool().ask("status")), "ok")

    def test_an_agent_is_told_what_was_wrong_and_its_session_lives_on(self):
        public, secret = zmq.curve_keypair()
        self.coordinator.allow(public.decode(), "--name", "liar")
        agent = h.Tool(self.coordinator.endpoint, zmq.DEALER, (public, secret), self.key)
        self.addCleanup(agent.close)

        def say(**message):
            agent.socket.send(h.agent_pb2.AgentMessage(**message).SerializeToString())

        def hear():
            self.assertTrue(agent.socket.poll(20000))
            return h.agent_pb2.CoordinatorMessage.FromString(agent.socket.recv())

        say(state=h.device_pb2.State(cpu_load=0.5))
        self.assertIn("hello", hear().refusal.reason)
        hello = h.agent_pb2.Hello(protocol_version=9, boot_id="b", profile_digest="d")
        say(hello=hello)
        self.assertEqual(hear().refusal.field, "hello.protocol_version")
        hello.protocol_version = 1
        say(hello=hello)
        welcome = hear().welcome
        self.assertTrue(welcome.want_profile)
        say(state=h.device_pb2.State(cpu_load=7))
        refusal = hear().refusal
        self.assertIn("state.cpu_load: 7, wanted a number from 0 to 1", refusal.reason)
        say(sequence=5, measurement=h.agent_pb2.Measurement(plan_id="p", job_id="j", generation=0, sequence=1, event="e"))
        self.assertEqual(hear().refusal.sequence, 5)
        say(sequence=6, measurement=h.agent_pb2.Measurement(plan_id="not-mine", job_id="j", generation=1, sequence=1,
                                                            event="e"))
        self.assertEqual(list(hear().receipt.sequences), [6])
        say(profile=h.device_pb2.Profile(chip="Apple M9", memory_bytes=1 << 34))
        h.wait_until("its profile", lambda: [d for d in self.coordinator.json("devices")["devices"]
                                             if d.get("profile", {}).get("chip") == "Apple M9"])
        self.coordinator.cli("devices", "forget", welcome.device_id)
        say(state=h.device_pb2.State(cpu_load=0.5))
        self.assertIn("forgotten", hear().refusal.reason)


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=0, failfast=True).result.wasSuccessful() else 1)
