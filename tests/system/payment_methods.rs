//! Every payment method of the sandbox ends as it should.

use system_tests::{
    http::get,
    shop::{Shop, up},
};

#[tokio::test]
async fn each_method_ends_as_the_contract_says() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = up(folder.path()).await.unwrap();
    let shop = Shop::of(&pipeline);
    for method in
        ["pm_card_visa", "pm_card_mastercard", "pm_sandbox_failTwice", "pm_sandbox_timeoutAfterAuthorize"]
    {
        let id = shop.place(method).await.unwrap();
        shop.until(&id, "confirmed").await;
        shop.until_ledger(&id, &["authorize", "capture"]).await;
        shop.until_mails(&id, &["order-confirmed", "order-received"]).await;
    }
    for method in ["pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_card_unknown"] {
        let id = shop.place(method).await.unwrap();
        let order = shop.until(&id, "cancelled").await;
        assert_eq!(order["reason"], "payment-declined");
        shop.until_mails(&id, &["order-cancelled", "order-received"]).await;
        assert_eq!(shop.ledger(&id).await.unwrap(), Vec::<String>::new());
        let payment = get(&format!("{}/payments/{id}", shop.payments)).await.unwrap();
        assert_eq!(payment["state"], "declined");
    }
}
