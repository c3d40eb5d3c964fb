//! Who did what.

use crate::house::House;

#[tokio::test]
async fn a_stranger_is_asked_to_sign_in() {
    let house = House::opens().await;
    house.brand("clearwater").await;
    house.settle().await;
    let reply = house.stranger().get("/v1/audit-entries").await.refused(401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"aftercare\"");
    assert_eq!(reply["request_id"], reply.header("x-request-id"));
}
