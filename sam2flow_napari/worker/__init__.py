"""Work away from the GUI thread: one worker, one job at a time, done by the engine in a process of its own.

A job is one frozen record from the window to the engine (`jobs`): the window puts it into the queue (`worker`,
`job_queue`), the worker's loop takes it out in its thread (`loop`) and sends it through a pipe (`engine_process`)
to the engine (`child`).

The engine has its own process because, beside Qt and OpenGL in one, torch freezes the window while it is imported (the
import holds the interpreter's lock) and can crash it: Mesa and triton each bring an LLVM, and on Linux the second one
to load takes the program down. A process of its own also survives, or dies of too little memory, alone.

Nothing is imported here: the engine's side must not load Qt.
"""
