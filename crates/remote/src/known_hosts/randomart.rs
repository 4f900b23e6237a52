//! The picture of a key's fingerprint, as `ssh-keygen -lv` draws it: people notice a changed picture sooner than a changed hash.

use std::iter;

const WIDTH: usize = 17;
const HEIGHT: usize = 9;
const LETTERS: &[u8] = b" .o+=*BOX@%&#/^SE";
/// What a field shows at most when it was only walked over.
const MOST: usize = LETTERS.len() - 3;

/// The picture of a SHA-256 digest; `name` is like `ED25519`.
pub(super) fn picture(digest: &[u8], name: &str, bits: usize) -> String {
    let long = format!("[{name} {bits}]");
    let title = if long.len() > WIDTH {
        format!("[{name}]")
    } else {
        long
    };
    let field = walk(digest);
    let rows = field.iter().map(|row| {
        let row: String = row
            .iter()
            .map(|&count| char::from(LETTERS[count]))
            .collect();
        format!("|{row}|")
    });
    iter::once(border(&title))
        .chain(rows)
        .chain(iter::once(border("[SHA256]")))
        .collect::<Vec<_>>()
        .join("\n")
}

/// A bishop walks diagonally, two bits a step, and counts where it has been.
fn walk(digest: &[u8]) -> [[usize; WIDTH]; HEIGHT] {
    let mut field = [[0; WIDTH]; HEIGHT];
    let (mut x, mut y) = (WIDTH / 2, HEIGHT / 2);
    for byte in digest {
        for step in 0..4 {
            let bits = byte >> (2 * step);
            x = moved(x, bits & 1 != 0, WIDTH);
            y = moved(y, bits & 2 != 0, HEIGHT);
            field[y][x] = MOST.min(field[y][x] + 1);
        }
    }
    field[HEIGHT / 2][WIDTH / 2] = LETTERS.len() - 2;
    field[y][x] = LETTERS.len() - 1;
    field
}

fn moved(place: usize, is_forward: bool, length: usize) -> usize {
    if is_forward {
        (place + 1).min(length - 1)
    } else {
        place.saturating_sub(1)
    }
}

fn border(title: &str) -> String {
    let free = WIDTH.saturating_sub(title.len());
    let left = free / 2;
    format!("+{}{title}{}+", "-".repeat(left), "-".repeat(free - left))
}
