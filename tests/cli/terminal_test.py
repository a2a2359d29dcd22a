#!/usr/bin/env python3
"""What needs a terminal or a signal: prompts without echo, the progress bar's absence, end of call, interruption."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
AUDIO = "/usr/share/asterisk/sounds/en_US_f_Allison/vm-intro.wav"
FAST = ["--unsafe-keeper", "--unsafe-fast-passphrase"]


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, arguments, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BINARY, [BINARY, *arguments], env)
        self.text = ""

    def wait_for(self, words, seconds=60):
        end = time.monotonic() + seconds
        while words not in self.text and time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.2)[0]:
                continue
            try:
                chunk = os.read(self.fd, 4096)
            except OSError:
                break
            if not chunk:
                break
            self.text += chunk.decode()
        return words in self.text

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def end(self):
        self.wait_for("\0never", 60)
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class TerminalTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="callvault-cli-")
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.vault = self.directory + "/vault"
        self.env = {"PATH": "/usr/bin:/bin", "HOME": self.directory, "LC_ALL": "C.UTF-8", "TERM": "xterm",
                    "CALLVAULT_DIR": self.vault, "CALLVAULT_USER": "officer"}
        self.passphrase = self.directory + "/passphrase"
        with open(self.passphrase, "w", encoding="utf-8") as file:
            os.chmod(file.fileno(), 0o600)
            file.write("correct horse\n")

    def run_command(self, *arguments, **more):
        env = {**self.env, "CALLVAULT_PASSPHRASE_FILE": self.passphrase}
        return subprocess.run([BINARY, *arguments], env=env, capture_output=True, text=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL, start_new_session=True, **more)

    def make_vault(self):
        done = self.run_command("init", self.vault, *FAST)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_init_asks_twice_without_echo(self):
        terminal = Terminal(["init", self.vault, *FAST], self.env)
        self.assertTrue(terminal.wait_for("New passphrase of officer: "), terminal.text)
        self.assertFalse(terminal.echoes())
        terminal.type("correct horse")
        self.assertTrue(terminal.wait_for("(again): "), terminal.text)
        terminal.type("correct horse")
        self.assertEqual(terminal.end(), 0, terminal.text)
        self.assertNotIn("correct horse", terminal.text)
        self.assertEqual(self.run_command("find").returncode, 0)

    def test_init_refuses_two_different_answers(self):
        terminal = Terminal(["init", self.vault, *FAST], self.env)
        terminal.wait_for("New passphrase of officer: ")
        terminal.type("correct horse")
        terminal.wait_for("(again): ")
        terminal.type("battery staple")
        self.assertEqual(terminal.end(), 2, terminal.text)
        self.assertFalse(os.path.exists(self.vault + "/vault.toml"))

    def test_prompt_of_who_acts_and_wrong_passphrase(self):
        self.make_vault()
        terminal = Terminal(["find", "--as", "maria"], self.env)
        self.assertTrue(terminal.wait_for("Passphrase of maria: "), terminal.text)
        terminal.type("battery staple")
        self.assertEqual(terminal.end(), 12, terminal.text)

    def test_interrupt_at_the_prompt_restores_echo(self):
        self.make_vault()
        terminal = Terminal(["find"], self.env)
        self.assertTrue(terminal.wait_for("Passphrase of officer: "), terminal.text)
        self.assertFalse(terminal.echoes())
        # The exit waits for the terminal's output, so read before asking.
        os.kill(terminal.pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while not terminal.echoes() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertTrue(terminal.echoes())
        self.assertEqual(terminal.end(), 130)

    def test_nothing_is_asked_for_where_nothing_is_needed(self):
        self.make_vault()
        for words in (["status"], ["check"], ["purge", "--dry-run"], ["journal", "verify"]):
            terminal = Terminal(words, self.env)
            terminal.end()
            self.assertNotIn("assphrase of", terminal.text)

    def test_no_vault_is_said_before_any_prompt(self):
        terminal = Terminal(["find"], self.env)
        self.assertEqual(terminal.end(), 10, terminal.text)
        self.assertNotIn("assphrase of", terminal.text)

    def test_no_terminal_and_no_source(self):
        self.make_vault()
        done = subprocess.run([BINARY, "find"], env=self.env, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, start_new_session=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--passphrase-file", done.stderr)

    def test_audio_is_not_poured_on_a_terminal(self):
        self.make_vault()
        identity = self.run_command("ingest", AUDIO, "--direction", "in", "--consent", "implied").stdout.strip()
        env = {**self.env, "CALLVAULT_PASSPHRASE_FILE": self.passphrase}
        terminal = Terminal(["play", identity, "--purpose", "complaint"], env)
        self.assertEqual(terminal.end(), 2, terminal.text)
        self.assertIn("terminal", terminal.text)

    def live_call(self, *more):
        env = {**self.env, "CALLVAULT_PASSPHRASE_FILE": self.passphrase}
        process = subprocess.Popen([BINARY, "--json", "ingest", "--direction", "in", "--consent", "implied", "--format",
                                    "s16le", "--rate", "8000", *more], env=env, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        with open(AUDIO, "rb") as file:
            process.stdin.write(file.read()[44:44 + 32000])
        process.stdin.flush()
        started = json.loads(process.stdout.readline())
        self.assertEqual(started["type"], "started")
        return process, started["id"]

    def test_signals_end_the_call(self):
        self.make_vault()
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process, identity = self.live_call()
            time.sleep(0.3)
            process.send_signal(sign)  # the pipe stays open: only the signal ends the call
            sealed = json.loads(process.stdout.readline())
            self.assertEqual((sealed["type"], sealed["id"]), ("sealed", identity))
            self.assertGreater(sealed["duration_s"], 1.0)
            self.assertEqual(process.wait(30), 0)
            self.assertEqual(self.run_command("show", identity).returncode, 0)

    def test_a_reader_that_went_away_does_not_stop_the_call(self):
        self.make_vault()
        process = subprocess.Popen([BINARY, "ingest", "--direction", "in", AUDIO], env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        process.stdout.close()
        process.stderr.read()
        process.stderr.close()
        self.assertIn(process.wait(30), (0, 74))
        state = json.loads(self.run_command("--json", "status").stdout)
        self.assertEqual(state["recordings"] + state["unsettled"], 1)

    def test_full_output_is_an_error(self):
        self.make_vault()
        with open("/dev/full", "w", encoding="utf-8") as full:
            env = {**self.env, "CALLVAULT_PASSPHRASE_FILE": self.passphrase}
            done = subprocess.run([BINARY, "status"], env=env, stdout=full, stderr=subprocess.PIPE, check=False,
                                  timeout=60)
        self.assertEqual(done.returncode, 75)

    def test_closed_descriptors_do_no_harm(self):
        self.make_vault()
        done = subprocess.run(["sh", "-c", '"$0" status <&- >&- 2>&-', BINARY], env=self.env, check=False, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.run_command("check").returncode, 0)

    def test_passphrase_from_a_command_and_credentials(self):
        self.make_vault()
        env = {**self.env, "CALLVAULT_PASSPHRASE_COMMAND": "printf 'correct horse\\n'"}
        self.assertEqual(subprocess.run([BINARY, "find"], env=env, check=False, capture_output=True,
                                        start_new_session=True, timeout=60).returncode, 0)
        env = {**self.env, "CALLVAULT_PASSPHRASE_COMMAND": "exit 3"}
        self.assertEqual(subprocess.run([BINARY, "find"], env=env, check=False, capture_output=True,
                                        start_new_session=True, timeout=60).returncode, 1)
        shutil.copy(self.passphrase, self.directory + "/callvault.passphrase")
        os.chmod(self.directory + "/callvault.passphrase", 0o440)  # as the service manager does
        env = {**self.env, "CREDENTIALS_DIRECTORY": self.directory}
        done = subprocess.run([BINARY, "find"], env=env, check=False, capture_output=True, text=True,
                              start_new_session=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, "callvault: nothing found\n"))

    def test_a_passphrase_file_that_others_can_read_is_remarked_on(self):
        self.make_vault()
        remark = f"callvault: warning: others can read the passphrase file {self.passphrase}; run chmod 600 {self.passphrase}"
        for mode, expected in ((0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1), (0o644, 1)):
            os.chmod(self.passphrase, mode)
            done = self.run_command("find")
            self.assertEqual((done.returncode, done.stderr.splitlines().count(remark)), (0, expected), done.stderr)
            done = self.run_command("--quiet", "find")  # a warning stays
            self.assertEqual(done.stderr.splitlines(), [remark] * expected)
            self.assertNotIn("chmod", self.run_command("status").stderr)
        told = self.run_command("--json", "find")
        self.assertEqual((told.returncode, told.stdout), (0, ""))
        self.assertIn(remark, told.stderr)
        new = self.directory + "/new"
        shutil.copyfile(self.passphrase, new)
        os.chmod(self.passphrase, 0o600)
        os.chmod(new, 0o640)
        done = self.run_command("person", "passwd", "officer", "--new-passphrase-file", new)
        self.assertEqual((done.returncode, done.stderr.count("chmod 600")), (0, 1), done.stderr)
        self.assertIn(f"chmod 600 {new}", done.stderr)


if __name__ == "__main__":
    if not os.path.exists(AUDIO):
        print("SKIPPED: asterisk-core-sounds-en-wav is not installed")
        sys.exit(77)
    unittest.main()
