# Prints what pyqa has to know of an interpreter. Started once per interpreter, then remembered.
import json
import os
import platform
import site
import sys
import sysconfig

# The folder of the script, or empty for `-c`, comes first unless the interpreter is told otherwise.
entries = sys.path[1:] if sys.path and sys.path[0] == "" else list(sys.path)
if site.ENABLE_USER_SITE:
    # Looked into from the day on which it is made.
    entries.append(site.getusersitepackages())

# An environment has the extension modules of the interpreter that it was made with.
base = sysconfig.get_path("platstdlib", vars={"platbase": sys.base_exec_prefix})

print(
    json.dumps(
        {
            "executable": sys.executable,
            "version": platform.python_version(),
            "implementation": platform.python_implementation(),
            "platform": sysconfig.get_platform(),
            "prefix": sys.prefix,
            "scripts": sysconfig.get_path("scripts"),
            "path": list(dict.fromkeys(os.path.abspath(entry) for entry in entries if entry)),
            "stdlib": [
                sysconfig.get_path("stdlib"),
                sysconfig.get_path("platstdlib"),
                os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload"),
                os.path.join(base, "lib-dynload"),
            ],
        }
    )
)
