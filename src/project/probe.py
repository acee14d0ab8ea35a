# Prints what pyqa has to know of an interpreter. Started once per interpreter, then remembered.
import json
import os
import platform
import sys
import sysconfig

print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": sysconfig.get_platform(),
            "prefix": sys.prefix,
            "scripts": sysconfig.get_path("scripts"),
            # The first entry is the folder of the script, or empty for `-c`.
            "path": [os.path.abspath(entry) for entry in sys.path[1:] if entry],
            "stdlib": [
                sysconfig.get_path("stdlib"),
                sysconfig.get_path("platstdlib"),
                os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload"),
            ],
        }
    )
)
