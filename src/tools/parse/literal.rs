//! Python string literals, as `ascii()` and `%a` write them: the one form in which a Python
//! program can print any file name on one line.

/// The bytes that the literal stands for, in UTF-8; a byte that Python could not decode is itself
/// (PEP 383). Text that is no literal is taken as it is.
pub(super) fn value(literal: &[u8]) -> Vec<u8> {
    let inner = match literal {
        [open @ (b'\'' | b'"'), inner @ .., close] if open == close => inner,
        _ => return literal.to_vec(),
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else { break };
        rest = after;
        let digits = match kind {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => {
                bytes.push(match kind {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                });
                continue;
            }
        };
        let Some((code, after)) = rest.split_at_checked(digits) else { break };
        rest = after;
        push(code, &mut bytes);
    }
    bytes
}

/// The character whose code is written in hexadecimal digits.
fn push(digits: &[u8], bytes: &mut Vec<u8>) {
    let code = std::str::from_utf8(digits).ok().and_then(|text| u32::from_str_radix(text, 16).ok());
    match code {
        Some(surrogate @ 0xDC80..=0xDCFF) => bytes.push(surrogate.to_le_bytes()[0]),
        Some(code) => {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None => bytes.extend_from_slice(digits),
    }
}

/// Text in which Python wrote what it could not encode as an escape (`backslashreplace`, which
/// standard error always has), with the bytes of file names put back.
pub(super) fn with_bytes_put_back(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let code = rest.strip_prefix(br"\udc").and_then(|digits| digits.get(..2));
        let byte = code
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|byte| *byte >= 0x80);
        if let Some(byte) = byte {
            bytes.push(byte);
            rest = &rest[6..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Literals as CPython 3.11 printed them.
    #[test]
    fn any_file_name_comes_back() {
        let cases: [(&[u8], &[u8]); 6] = [
            (br"'./n\udcff.py'", b"./n\xff.py"),
            (br"'new\nline.py'", b"new\nline.py"),
            (br#""it's.py""#, b"it's.py"),
            (br"'\xe9\u4e2d\U0001f600\\.py'", "é中😀\\.py".as_bytes()),
            (br#"'a"\'b'"#, br#"a"'b"#),
            (b"plain", b"plain"),
        ];
        for (literal, expected) in cases {
            assert_eq!(value(literal), expected, "{}", String::from_utf8_lossy(literal));
        }
    }

    #[test]
    fn escapes_on_standard_error_become_bytes_again() {
        assert_eq!(
            with_bytes_put_back(br"error: n\udcff.py \udc41"),
            br"error: n"
                .iter()
                .copied()
                .chain([0xff])
                .chain(br".py \udc41".iter().copied())
                .collect::<Vec<u8>>()
        );
    }
}
