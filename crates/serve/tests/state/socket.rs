//! The WebSocket.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::running::Running;

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(server: &Running) -> Socket {
    connect_async(server.base.replace("http", "ws") + "/ws").await.unwrap().0
}

async fn ask(socket: &mut Socket, body: &str) -> Value {
    socket.send(Message::text(body)).await.unwrap();
    let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no text") };
    serde_json::from_str(&text).unwrap()
}

/// The code with which the server closes.
async fn closed(socket: &mut Socket) -> u16 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn chats_figures_and_pings_are_answered() {
    let server = Running::canned(&["One.", "Two."]).await;
    let mut socket = open(&server).await;
    let pong = ask(&mut socket, r#"{"type": "ping", "request_id": 7}"#).await;
    assert_eq!(pong, json!({"type": "pong", "request_id": 7}));
    let said = ask(&mut socket, r#"{"type": "chat", "message": "Hi"}"#).await;
    assert_eq!((&said["type"], &said["response"]), (&json!("chat_response"), &json!("One.")));
    let more =
        json!({"type": "chat", "message": "And?", "conversation_id": said["conversation_id"]});
    assert_eq!(ask(&mut socket, &more.to_string()).await["message_count"], 4);
    let metrics = ask(&mut socket, r#"{"type": "metrics"}"#).await;
    assert_eq!(metrics["data"]["messages"], 4);
    for (body, code) in [
        ("{", "invalid_json"),
        (r#"{"type": "dance"}"#, "invalid_value"),
        (r#"{"type": "chat"}"#, "missing_field"),
        (r#"{"type": "chat", "message": "a", "colour": 1}"#, "unknown_field"),
    ] {
        let error = ask(&mut socket, body).await;
        assert_eq!((&error["type"], &error["error"]["code"]), (&json!("error"), &json!(code)));
    }
}

#[tokio::test]
async fn too_long_and_too_fast_are_closed_with_1008() {
    let server = Running::canned(&["One."]).await;
    let mut socket = open(&server).await;
    socket.send(Message::text(" ".repeat((64 << 10) + 1))).await.unwrap();
    assert_eq!(closed(&mut socket).await, 1008);

    let mut socket = open(&server).await;
    for _ in 0..11 {
        socket.feed(Message::text(r#"{"type": "ping"}"#)).await.unwrap();
    }
    socket.flush().await.unwrap();
    assert_eq!(closed(&mut socket).await, 1008);

    let mut socket = open(&server).await;
    socket.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(closed(&mut socket).await, 1008);
}
