//! Files of the fuzzed project whose content changes, each with the contents that it may have.
//! Many are of one size, so that only their content tells them apart. What makes a test fail says
//! `2`: only successes of pytest are stored, so that failures have to be rare.

use super::{LINT, TESTS, TYPES};

pub(super) struct Slot {
    pub(super) path: &'static str,
    /// The tools that see a difference.
    pub(super) tools: &'static str,
    pub(super) contents: &'static [&'static str],
}

const VALUES: &[&str] = &["1\n", "2\n", "3\n", "4\n"];
const MODULES: &[&str] = &["VALUE = 1\n", "VALUE = 2\n", "VALUE = 3\n", "VALUE = 4\n"];

const fn slot(path: &'static str, tools: &'static str, contents: &'static [&'static str]) -> Slot {
    Slot { path, tools, contents }
}

pub(super) const SLOTS: &[Slot] = &[
    slot(
        "pkg/style.py",
        LINT,
        &[
            "import sys\n\nprint(sys.path)\n",
            "import sys\n\nprint(sxs.path)\n",
            "import sys\n\nprint(sys.pat )\n",
            "import sys\n\nprint(sys.path\n)",
        ],
    ),
    slot(
        "pkg/danger.py",
        LINT,
        &[
            "import pickle\n\nX = pickle.dumps\n",
            "import struct\n\nX = struct.error\n",
            "import struct\n\nX = pickle.dumps\n",
            "import pickle\n\nX = pickle.dumps  # nosec\n",
        ],
    ),
    slot(
        "pkg/base.py",
        TYPES,
        &[
            "def base(x: int) -> int:\n    return x\n",
            "def base(x: str) -> str:\n    return x\n",
            "def base(x: int) -> str:\n    return x\n",
            "def base(x: int):\n    return x + 1 + 1\n",
        ],
    ),
    slot(
        "pkg/mid.py",
        TYPES,
        &[
            "from pkg.base import base\n\n\ndef mid():\n    return base(100)\n\n\nY: int = base(100)\n",
            "from pkg.base import base\n\n\ndef mid():\n    return base(\"1\")\n\n\nY: int = base(\"1\")\n",
        ],
    ),
    slot(
        "pkg/top.py",
        TYPES,
        &[
            "from pkg import mid\n\nZ: int = mid.Y\n",
            "from pkg import mid\n\nZ: str = mid.Y\n",
            "from pkg import mid\n\nprint(mid.gone)\n",
        ],
    ),
    slot(
        "ignored/gen.py",
        TYPES,
        &["def make() -> int: ...\n", "def make() -> str: ...\n", "def take() -> int: ...\n"],
    ),
    slot("../stubs/outstub.pyi", TYPES, &["def out() -> int: ...\n", "def out() -> str: ...\n"]),
    slot("pkg/leaf.py", TESTS, MODULES),
    slot("ignored/consts.py", TESTS, MODULES),
    slot("tests/data/value.txt", TESTS, VALUES),
    slot("ignored/value.txt", TESTS, VALUES),
    slot("../outside/value.txt", TESTS, VALUES),
    slot("linked.txt", TESTS, VALUES),
    slot("../outside/data/value.txt", TESTS, VALUES),
    slot("README.md", TESTS, &["# 1\n", "# 2\n", "# 3\n"]),
    slot("inside/inlib.py", TESTS, MODULES),
    slot("../editable/edlib.py", TESTS, MODULES),
    slot("../pythonpath/pplib.py", TESTS, MODULES),
    slot(
        "extra/flake8.cfg",
        LINT,
        &["[flake8]\nignore = E501\n", "[flake8]\nignore = F401\n", "[flake8]\nignore = F821\n"],
    ),
    slot("extra/local_plugin.py", LINT, &[LOCAL_PLUGIN_1, LOCAL_PLUGIN_2]),
];

pub(super) const LOCAL_PLUGIN_1: &str = "class Checker:\n    name = 'local'\n    version = '1'\n\n    def __init__(self, tree):\n        self.tree = tree\n\n    def run(self):\n        yield 1, 0, 'LOC1 seen', Checker\n";
pub(super) const LOCAL_PLUGIN_2: &str = "class Checker:\n    name = 'local'\n    version = '1'\n\n    def __init__(self, tree):\n        self.tree = tree\n\n    def run(self):\n        yield 1, 0, 'LOC2 seen', Checker\n";

/// A package, and one that hides the module in it.
pub(super) const INIT_1: &str = "";
pub(super) const INIT_2: &str = "class inner:\n    INNER = \"\"\n";

/// Whether a test fails because of this content.
pub(super) fn is_bad(text: &str) -> bool {
    text == "2\n" || text == "# 2\n" || text.starts_with("VALUE = 2")
}

/// Files that do not change, or by mutations of their own.
pub(super) const FIXED: &[(&str, &str)] = &[
    (".gitignore", "ignored/\n*.tmp\n"),
    ("pkg/__init__.py", ""),
    (
        "pkg/long.py",
        "X = \"................................................................................\"\n",
    ),
    ("pkg/unused.py", "import os\n"),
    ("pkg/untyped.py", "def untyped(x):\n    return x\n\n\nprint(untyped(1))\n"),
    ("pkg/uses.py", "import somelib\n\nX: int = somelib.give()\n"),
    ("pkg/uses_ignored.py", "import gen\n\nX: int = gen.make()\n"),
    ("pkg/uses_outside.py", "import outstub\n\nX: int = outstub.out()\n"),
    ("pkg/checks.py", "def check(x: int) -> None:\n    assert x\n"),
    ("nspkg/__init__.py", INIT_1),
    ("nspkg/inner.py", "INNER = 1\n"),
    ("pkg/uses_nspkg.py", "from nspkg import inner\n\nX: str = inner.INNER\n"),
    ("script.sh", "#!/bin/sh\n"),
    // Else two `conftest.py` are one module twice, and mypy looks at nothing.
    ("tests/__init__.py", ""),
    ("tests/test_all.py", TEST_ALL),
];

const TEST_ALL: &str = r##"import importlib
import importlib.util
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).parent.parent


def text(name):
    try:
        return (ROOT / name).read_text().strip()
    except FileNotFoundError:
        return "absent"


def value(name):
    try:
        return importlib.import_module(name).VALUE
    except ImportError:
        return "absent"


def test_files():
    assert text("tests/data/value.txt") != "2"
    assert text("README.md") != "# 2"


def test_ignored():
    assert text("ignored/value.txt") != "2"
    sys.path.insert(0, str(ROOT / "ignored"))
    assert value("consts") != 2


def test_outside():
    assert text("../outside/value.txt") != "2"


def test_link():
    assert text("link.txt") != "2"


def test_link_itself():
    assert os.readlink(ROOT / "link.txt") != "tests/data/value.txt"


def test_listing():
    assert "two.tmp" not in os.listdir(ROOT / "tests/data")


def test_mode():
    assert not (ROOT / "script.sh").stat().st_mode & 0o100


def test_permissions():
    file = ROOT / "key.txt"
    assert not file.exists() or file.stat().st_mode & 0o44


def test_data_of_a_package():
    spec = importlib.util.find_spec("copied")
    if spec:
        data = text(pathlib.Path(spec.origin).parent / "value.txt")
        assert data != "2"


def test_modules():
    for name in ["pkg.leaf", "somelib", "edlib", "inlib", "pplib", "ziplib"]:
        assert value(name) != 2, name


def test_declared_variable():
    assert os.environ.get("FUZZ_VALUE") != "2"
"##;
