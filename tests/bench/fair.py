"""What two programs need to be compared on a virtual machine: turns, and memory that is there for each of them."""
import tempfile
import time

GIVEN_BACK_S = 3  # free memory is reported to the host every 2 s


def turned(items, n):
    """Each round begins with another one: the first may find the caches cold."""
    n %= len(items)
    return items[n:] + items[:n]


def touch_memory(folder, size):
    """A virtual machine gives memory that lies free back to its host, and whoever needs it next pays for getting it again: up to 3 s of a server's CPU for 2 GB.
    So the memory that a copy will fill is held, in a folder in memory, while the machine gives back the rest, and freed right before the copy begins."""
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(0, size, 1 << 20):
            file.write(bytes(1 << 20))
        time.sleep(GIVEN_BACK_S)
