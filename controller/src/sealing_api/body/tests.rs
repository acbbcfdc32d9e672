//! What is taken for a SealedSecret, and what is too much of one.

use std::time::Duration;

use axum::body::Body;

use super::*;
use crate::http_server::room::Room;

const OBJECT: &str = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {}\n";
const JSON: &str =
    r#"{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","spec":{"encryptedData":{"#;

async fn parse(text: &str, documents: Documents) -> Result<(), Problem> {
    let room = Room::new(HELD, LARGEST);
    let body = Body::from(text.to_owned());
    let text = Text(room.read(body, Duration::ZERO).await?);
    text.parse(documents).map(drop)
}

fn json(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<_> = items.into_iter().collect();
    format!("{JSON}{}}}}}}}", items.join(","))
}

#[tokio::test]
async fn json_and_yaml_are_read() {
    assert_eq!(parse(OBJECT, Documents::One).await, Ok(()));
    assert_eq!(parse(&json([]), Documents::One).await, Ok(()));
}

#[tokio::test]
async fn another_kind_or_none_is_refused() {
    for text in [
        "",
        "x",
        "kind: SealedSecret\n",
        "apiVersion: v1\nkind: Secret\n",
        "[",
        "\u{0}",
    ] {
        let read = parse(text, Documents::One).await;
        assert_eq!(read, Err(Problem::NotASealedSecret), "{text:?}");
    }
}

#[tokio::test]
async fn a_second_document_is_refused_or_left_unread() {
    let two = format!("---\n{OBJECT}---\n: broken [\n");
    let read = parse(&two, Documents::One).await;
    assert_eq!(read, Err(Problem::NotASealedSecret));
    assert_eq!(parse(&two, Documents::First).await, Ok(()));
    let noted = format!("# note\n---\n{OBJECT}");
    assert_eq!(parse(&noted, Documents::One).await, Ok(()));
}

#[tokio::test]
async fn what_takes_too_much_memory_or_work_is_too_large() {
    let padded = format!("{OBJECT}#{}", "x".repeat(LARGEST));
    let items = json((0..=ITEMS).map(|item| format!("\"{item}\":\"\"")));
    let nested = json([format!("\"a\":[{}[]]", "[],".repeat(PARTS))]);
    for text in [padded, items, nested] {
        assert_eq!(parse(&text, Documents::One).await, Err(Problem::TooLarge));
    }
    let most = json((0..ITEMS).map(|item| format!("\"{item}\":\",,,[[[{{\\\"\"")));
    assert_eq!(parse(&most, Documents::One).await, Ok(()));
}

#[tokio::test]
async fn aliases_that_multiply_are_refused() {
    let mut text = OBJECT.to_owned() + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        let ten = [alias.as_str(); 10].join(", ");
        text += &format!("a{level}: &a{level} [{ten}]\n");
    }
    let read = parse(&text, Documents::One).await;
    assert_eq!(read, Err(Problem::NotASealedSecret));
    let large = "x".repeat(LARGEST / 4);
    let text = format!("{OBJECT}a: &a {large}\nb: [*a, *a, *a, *a]\n");
    let read = parse(&text, Documents::One).await;
    assert_eq!(read, Err(Problem::NotASealedSecret));
}
