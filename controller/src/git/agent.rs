//! An ssh agent for one key and one client: it lists the key, signs with it, and does nothing else.
//! The key is never written anywhere, and no process but the one `ssh` that we started gets a signature.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::{fs::PermissionsExt, net::UnixListener as StdListener},
    path::{Path, PathBuf},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use crate::repositories::{
    RsaHash, SigningKey,
    wire_format::{Reader, Writer},
};

/// Messages of the agent protocol (draft-ietf-sshm-ssh-agent) that we answer, and our answers.
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Flags of a request to sign with RSA.
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;
/// As OpenSSH limits messages to its agent; what it signs has a few hundred bytes.
const LONGEST_MESSAGE: u32 = 256 << 10;

/// An agent that waits for its client to be known.
pub(super) struct Agent {
    listener: StdListener,
    pub(super) socket: PathBuf,
}

/// An agent at work; it ends when this goes.
pub(super) struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Agent {
    /// Listens in `folder`, which nobody else can enter.
    pub(super) fn listen(folder: &Path) -> io::Result<Self> {
        let socket = folder.join("agent");
        let listener = StdListener::bind(&socket)?;
        fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, socket })
    }

    /// Signs with `key` for the process `client` alone.
    pub(super) fn serve(self, key: SigningKey, client: u32) -> io::Result<Serving> {
        let listener = UnixListener::from_std(self.listener)?;
        Ok(Serving(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let peer = stream.peer_cred().ok().and_then(|peer| peer.pid());
                if peer.and_then(|pid| u32::try_from(pid).ok()) == Some(client) {
                    // A client that breaks off is no trouble of ours.
                    drop(converse(stream, &key).await);
                }
            }
        })))
    }
}

async fn converse(mut stream: UnixStream, key: &SigningKey) -> io::Result<()> {
    loop {
        let length = stream.read_u32().await?;
        if length > LONGEST_MESSAGE {
            return Ok(());
        }
        let mut message = vec![0; usize::try_from(length).unwrap_or_default()];
        stream.read_exact(&mut message).await?;
        let mut framed = Writer::default();
        framed.string(&answer(&message, key).unwrap_or_else(|| vec![FAILURE]));
        stream.write_all(&framed.0).await?;
    }
}

/// The answer to one message; `None` for all that we do not do.
fn answer(message: &[u8], key: &SigningKey) -> Option<Vec<u8>> {
    let mut message = Reader(message);
    match message.byte()? {
        REQUEST_IDENTITIES => {
            let mut answer = Writer(vec![IDENTITIES_ANSWER]);
            answer.number(1);
            answer.string(key.public());
            answer.string(b"");
            Some(answer.0)
        }
        SIGN_REQUEST => {
            let (public, data, flags) = (message.string()?, message.string()?, message.number()?);
            if public != key.public() {
                return None;
            }
            let hash = match flags {
                flags if flags & RSA_SHA2_512 != 0 => Some(RsaHash::Sha512),
                flags if flags & RSA_SHA2_256 != 0 => Some(RsaHash::Sha256),
                _ => None,
            };
            let mut answer = Writer(vec![SIGN_RESPONSE]);
            answer.string(&key.sign_for_ssh(data, hash)?);
            Some(answer.0)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> SigningKey {
        let pair = rcgen::KeyPair::generate().unwrap();
        SigningKey::from_pem(&pair.serialize_pem()).unwrap()
    }

    /// What an agent for the process `client` answers us to each of `messages`; `None` where it hangs up.
    async fn answers(key: &SigningKey, client: u32, messages: &[Vec<u8>]) -> Vec<Option<Vec<u8>>> {
        let folder = tempfile::tempdir().unwrap();
        let agent = Agent::listen(folder.path()).unwrap();
        let socket = agent.socket.clone();
        let mode = fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let _serving = agent.serve(key.clone(), client).unwrap();
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        let mut answers = Vec::new();
        for message in messages {
            let mut framed = Writer::default();
            framed.string(message);
            // Who hung up takes no more questions.
            drop(stream.write_all(&framed.0).await);
            answers.push(match stream.read_u32().await {
                Ok(length) => {
                    let mut answer = vec![0; usize::try_from(length).unwrap()];
                    stream.read_exact(&mut answer).await.unwrap();
                    Some(answer)
                }
                Err(_) => None,
            });
        }
        answers
    }

    fn sign_request(public: &[u8]) -> Vec<u8> {
        let mut request = Writer(vec![SIGN_REQUEST]);
        request.string(public);
        request.string(b"what the server has to see signed");
        request.number(0);
        request.0
    }

    #[tokio::test]
    async fn the_one_client_sees_the_one_key_and_gets_its_signature() {
        let (key, other) = (made(), made());
        let messages = [
            vec![REQUEST_IDENTITIES],
            sign_request(key.public()),
            sign_request(other.public()),
            vec![17],
            vec![],
        ];
        let answers = answers(&key, std::process::id(), &messages).await;
        let kinds: Vec<u8> = answers
            .iter()
            .map(|answer| answer.as_ref().unwrap()[0])
            .collect();
        assert_eq!(
            kinds,
            [IDENTITIES_ANSWER, SIGN_RESPONSE, FAILURE, FAILURE, FAILURE]
        );
        let listed = answers[0].as_ref().unwrap();
        assert_eq!(listed[9..9 + key.public().len()], *key.public());
    }

    #[tokio::test]
    async fn another_process_gets_nothing() {
        let key = made();
        let messages = [vec![REQUEST_IDENTITIES], sign_request(key.public())];
        let answers = answers(&key, std::process::id() + 1, &messages).await;
        assert_eq!(answers, [None, None]);
    }
}
