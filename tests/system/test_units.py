"""The unit files as installed: systemd finds nothing wrong with them, and they are as tight as they were."""
import pytest

# What systemd-analyze(1) calls the exposure of a service, 0 (none) to 10 (all): the most that each may have.
EXPOSURE_MAX = {"tempoftp.service": 2.0, "tempoftp-broker.service": 1.0, "tempoftp-ftp.service": 2.0,
                "tempoftp-done@x.service": 2.0, "tempoftp-failed@x.service": 2.0, "tempoftp-sweep.service": 2.0,
                "tempoftp-cert@x.service": 2.5, "tempoftp-xferlog.service": 2.0}


def installed_units(machine):
    folder = machine.file("/usr/lib/systemd/system")
    names = [path.name.replace("@.", "@x.") for path in folder.glob("tempoftp*") if path.is_file()]
    assert len(names) > 8
    return sorted(names)


def test_systemd_finds_no_fault_with_the_units(machine):
    done = machine.run(["systemd-analyze", "verify", "--man=no", *installed_units(machine)])
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "tempoftp" in line]
    assert complaints == []


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_services_are_sandboxed(machine, unit):
    machine.run(["systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MAX[unit] * 10:.0f}", unit])


def test_every_service_has_its_limit_here(machine):
    assert {name for name in installed_units(machine) if name.endswith(".service")} == set(EXPOSURE_MAX)
