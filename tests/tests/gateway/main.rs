//! The device port over real TLS: enrolment, recovery, check-ins, identities, and whatever else may be sent to it.

/// Each test with the real server on either database.
macro_rules! on_both_engines {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Port::start().unwrap()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Port::start_on_postgres().await.unwrap()).await;
            })*
        }
    };
}

mod actions;
mod approval;
mod bombs;
mod clone;
mod clone_old_key;
mod enrolment;
mod exams;
mod foreign_agent;
mod hostile;
mod http2;
mod identity;
mod lapse;
mod lost_key;
mod reconsider;
mod recovery;
mod restored;
mod roots;
mod updates;
