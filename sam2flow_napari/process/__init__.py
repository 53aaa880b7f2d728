"""The engine in a process of its own.

Beside Qt and OpenGL in one process, torch freezes the window while it is
imported (the import holds the interpreter's lock) and can crash it: Mesa and
triton each bring an LLVM, and on Linux the second one to load takes the program
down. A process of its own also survives, or dies of too little memory, alone.
"""

from sam2flow_napari.process.engine import ProcessEngine

__all__ = ["ProcessEngine"]
