/* The loop answers everybody, so nothing else of this process may keep it waiting: not for the CPU, and not for memory. */
#pragma once

/* At the start of main, before any thread. Where the kernel knows no such wish, or a filter forbids it, all works the same, only slower under load. */
void precedence_of_loop(void);
/* In a thread that works long. niceness: how far it steps back for others that want the CPU (setpriority(2); 0: not, 19: as far as can be). */
void precedence_step_back(int niceness);
